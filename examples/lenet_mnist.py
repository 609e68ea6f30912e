"""Train LeNet on handwritten digits: MNIST where it is found, else the digits in the package."""

from __future__ import annotations

import argparse
import functools
import time

import tinynet as tn
from tinynet import data, models, optim
from tinynet.functional import cross_entropy

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None
    print("(for a progress bar: pip install 'tinynet[train]')")

OPTIMIZERS = {  # name: (constructor, rate by default)
    "adam": (optim.Adam, 2e-3),
    "sgd": (functools.partial(optim.SGD, momentum=0.9), 5e-2),
    "rmsprop": (optim.RMSprop, 1e-3),
}


def load(name: str, root: str | None) -> tuple[str, tuple, tuple]:
    """What was taken, and (images, labels) to learn from and to test on."""
    if name != "digits":
        try:
            train, test = data.mnist(root, train=True), data.mnist(root, train=False)
            return "MNIST, 60,000 digits of 28x28", train, test
        except FileNotFoundError as error:
            if name == "mnist":
                raise
            print(f"No MNIST here, so not MNIST but the 8x8 digits of the package.\n({error})")

    train, test = data.digits(train=True, size=28), data.digits(train=False, size=28)
    return "UCI digits (not MNIST), enlarged", train, test


@tn.no_grad()
def accuracy(model: models.LeNet, images, labels, device: str) -> float:
    """The share of digits whose largest logit is their label's."""
    right = 0
    for x, y in data.DataLoader(images, labels, batch_size=1000, device=device):
        right += (model(tn.tensor(x)).argmax(1) == tn.tensor(y)).sum().item()
    return right / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("--data", choices=["auto", "mnist", "digits"], default="auto")
    option("--root", help="folder with MNIST's files; else $TINYNET_DATA, then the user's cache")
    option("--epochs", type=int, help="default: 5, or 30 for the few digits")
    option("--batch-size", type=int, default=64)
    option("--optimizer", choices=OPTIMIZERS, default="adam")
    option("--lr", type=float, help="first rate, which falls to 0 along a cosine")
    option("--device", choices=["cpu", "cuda"], default=tn.default_device())
    option("--seed", type=int, default=0, help="of weights and order")
    args = parser.parse_args()
    if args.batch_size < 1 or (args.epochs or 0) < 0 or args.seed < 0:
        parser.error("--batch-size must be at least 1, --epochs and --seed at least 0")

    tn.manual_seed(args.seed)
    model = models.LeNet().to(args.device)
    name, (images, labels), test = load(args.data, args.root)
    epochs = args.epochs if args.epochs is not None else (5 if len(labels) > 10_000 else 30)
    settings = {"batch_size": args.batch_size, "seed": args.seed, "device": args.device}
    batches = data.DataLoader(images, labels, shuffle=True, **settings)
    make, rate = OPTIMIZERS[args.optimizer]
    optimizer = make(model.parameters(), lr=rate if args.lr is None else args.lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, epochs * len(batches)))
    print(f"{name}; {epochs} epochs with {args.optimizer}, {settings}")

    start = time.perf_counter()
    for epoch in range(1, epochs + 1):
        total = 0.0
        # disable=None: no bar off a terminal
        bar = tqdm(batches, f"epoch {epoch}", leave=False, disable=None) if tqdm else batches
        for x, y in bar:
            loss = cross_entropy(model(tn.tensor(x)), tn.tensor(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(y)
        mean, right = total / len(labels), accuracy(model, *test, args.device)
        seconds = time.perf_counter() - start
        print(f"epoch {epoch:2d}  loss {mean:.4f}  test accuracy {right:.2%}  {seconds:5.1f} s")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped by Ctrl-C") from None
    except (tn.DeviceError, data.DataError, FileNotFoundError) as error:
        raise SystemExit(f"error: {error}") from None
