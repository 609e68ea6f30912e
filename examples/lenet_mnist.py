"""Train LeNet on handwritten digits: MNIST if found, else the package's digits."""

from __future__ import annotations

import argparse

import tinynet as tn
from tinynet import data, models, optim, training
from tinynet.functional import cross_entropy

DATA = {  # name: (title, function that loads the training or test part)
    "mnist": ("MNIST, 60,000 digits of 28x28", data.mnist),
    "fashion": ("Fashion-MNIST, 60,000 pieces of clothing of 28x28", data.fashion_mnist),
    "digits": ("UCI digits (not MNIST), enlarged", lambda root, train: data.digits(train, size=28)),
}
OPTIMIZERS = {  # name: function of parameters and rate, 0 for the optimizer's default
    "adam": lambda parameters, lr: optim.Adam(parameters, lr or 2e-3),
    "sgd": lambda parameters, lr: optim.SGD(parameters, lr or 5e-2, momentum=0.9),
    "rmsprop": lambda parameters, lr: optim.RMSprop(parameters, lr or 1e-3),
}


def load(name: str, root: str | None) -> tuple[str, tuple, tuple]:
    """The data's title, and (images, labels) for training and for testing."""
    if name == "auto":
        try:
            return load("mnist", root)
        except FileNotFoundError as error:
            if root is not None:  # a folder that was named
                raise
            print(f"MNIST not found; using the package's 8x8 digits instead.\n({error})")
            name = "digits"
    title, get = DATA[name]
    return title, get(root, True), get(root, False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    option = parser.add_argument
    option("--data", choices=["auto", *DATA], default="auto")
    option("--root", help="folder to search instead of $TINYNET_DATA, cache, /usr/share/datasets")
    option("--epochs", type=int, help="default: 5, or 30 for the package's digits")
    option("--batch-size", type=int, default=64)
    option("--optimizer", choices=OPTIMIZERS, default="adam")
    option("--lr", type=float, default=0, help="initial rate of a cosine; 0: optimizer's default")
    option("--device", choices=["cpu", "cuda"], default=tn.default_device())
    option("--seed", type=int, default=0, help="for weights and order")
    option("--checkpoint", metavar="DIR", help="folder to save the run in, also on Ctrl-C")
    option(
        "--resume", action="store_true", help="continue from --checkpoint, maybe with more --epochs"
    )
    option("--report", metavar="DIR", help="folder for report.html, written at the end")
    args = parser.parse_args()
    if args.batch_size < 1 or (args.epochs or 0) < 0 or args.seed < 0 or not args.lr >= 0:
        parser.error("--batch-size must be at least 1, --epochs, --seed and --lr at least 0")
    if args.resume and not args.checkpoint:
        parser.error("--resume continues from a checkpoint; give its folder: --checkpoint DIR")
    tn.manual_seed(args.seed)
    model = models.LeNet().to(args.device)
    name, (images, labels), (test_images, test_labels) = load(args.data, args.root)
    epochs = args.epochs if args.epochs is not None else (5 if len(labels) > 10_000 else 30)
    common = {"batch_size": args.batch_size, "seed": args.seed}
    options = {"data": name, "epochs": epochs, "optimizer": args.optimizer, "lr": args.lr, **common}
    batches = data.DataLoader(images, labels, shuffle=True, device=args.device, **common)
    test = data.DataLoader(test_images, test_labels, batch_size=1000, device=args.device)
    optimizer = OPTIMIZERS[args.optimizer](model.parameters(), args.lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, epochs * len(batches)))
    history = args.checkpoint and f"{args.checkpoint}/history.jsonl"
    recorder = training.Recorder(history, total=len(labels), epochs=epochs)
    run = training.Checkpoint(args.checkpoint, options=options, model=model, optimizer=optimizer,
                              schedule=schedule, batches=batches, recorder=recorder)  # fmt: skip
    print(f"{name}; {epochs} epochs with {args.optimizer}, {common} on {args.device}")
    if args.resume:
        run.load(allow=["epochs"])  # more epochs continue a finished run on the longer cosine

    for _ in run.epochs(epochs):
        for x, y in run.steps(batches):
            loss = cross_entropy(model(tn.as_tensor(x)), tn.as_tensor(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            recorder.add(len(y), loss=loss)
        found = training.evaluate(model, test)
        recorder.end_epoch(test_loss=found.loss, test_accuracy=found.accuracy)
        run.keep_best(found.accuracy)

    found = training.evaluate(model, test)
    print(f"after {run.epoch} epochs: test accuracy {found.accuracy:.2%}")
    if args.report:
        names = data.FASHION_MNIST_CLASSES if args.data == "fashion" else None
        training.write_report(args.report, recorder.history, title=f"LeNet on {name}", model=model,
                              summary=training.summary(model, (1, 28, 28)), evaluation=found,
                              options=options, images=test_images, names=names)  # fmt: skip


if __name__ == "__main__":
    with training.command():  # errors and Ctrl-C end in one line
        main()
