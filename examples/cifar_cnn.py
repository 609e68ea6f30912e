"""Train a network on CIFAR-10 with checkpoints and a report; Ctrl-C stops, --resume continues."""

from __future__ import annotations

import argparse

import tinynet as tn
from tinynet import data, models, optim, training
from tinynet.data import transforms
from tinynet.functional import cross_entropy

NETWORKS = {"cnn": models.CifarCNN, "lenet": models.CifarLeNet}  # both from the documents


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    option = parser.add_argument
    option("--network", choices=NETWORKS, default="cnn")
    option("--root", help="folder to search instead of $TINYNET_DATA, cache, /usr/share/datasets")
    option("--epochs", type=int, default=10)
    option("--batch-size", type=int, default=32)
    option("--lr", type=float, default=1e-3, help="Adam's initial rate; falls to 0 as a cosine")
    option("--augment", action="store_true", help="crop and flip the images at random")
    option("--seed", type=int, default=0, help="for weights, order and augmentation")
    option("--device", choices=["cpu", "cuda"], default=tn.default_device())
    option("--checkpoint", metavar="DIR", help="folder to save the run in, also on Ctrl-C")
    option("--resume", action="store_true", help="continue from --checkpoint")
    option("--report", metavar="DIR", help="folder for report.html, written after each epoch")
    args = parser.parse_args()
    if args.batch_size < 1 or args.epochs < 1 or args.seed < 0 or not args.lr > 0:
        parser.error("--batch-size and --epochs must be 1 or more, --seed 0 or more, --lr above 0")
    if args.resume and not args.checkpoint:
        parser.error("--resume continues from a checkpoint; give its folder: --checkpoint DIR")
    return args


def main(args: argparse.Namespace) -> None:
    tn.manual_seed(args.seed)
    model = NETWORKS[args.network]().to(args.device)
    name = data.locate("cifar10", args.root).title
    images, labels = data.cifar10(args.root, train=True)
    test_images, test_labels = data.cifar10(args.root, train=False)
    normalize = transforms.Normalize(data.CIFAR10_MEAN, data.CIFAR10_STD)
    images, test_images = normalize(images), normalize(test_images)
    crop_and_flip = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    batches = data.DataLoader(
        images, labels, batch_size=args.batch_size, shuffle=True, seed=args.seed,
        transform=transforms.Compose(crop_and_flip) if args.augment else None,
        num_workers=int(args.augment), device=args.device,
    )  # fmt: skip
    test = data.DataLoader(test_images, test_labels, batch_size=500, device=args.device)

    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs * len(batches))
    history = args.checkpoint and f"{args.checkpoint}/history.jsonl"
    recorder = training.Recorder(history, total=len(labels), epochs=args.epochs)
    what = ("network", "epochs", "batch_size", "lr", "augment", "seed")
    options = {"data": name, **{key: vars(args)[key] for key in what}}
    run = training.Checkpoint(args.checkpoint, options=options, model=model, optimizer=optimizer,
                              schedule=schedule, batches=batches, recorder=recorder)  # fmt: skip
    summary = training.summary(model, (3, 32, 32))
    print(f"{summary.parameters:,} parameters on {args.device}; {options}")
    if args.resume:
        run.load(allow=["epochs"])  # more epochs continue a finished run on the longer cosine

    for _ in run.epochs(args.epochs):
        for x, y in run.steps(batches):
            logits, target = model(tn.as_tensor(x)), tn.as_tensor(y)
            loss = cross_entropy(logits, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            right = training.metrics.accuracy(logits, target)
            recorder.add(len(y), loss=loss, accuracy=right)
        found = training.evaluate(model, test)
        recorder.end_epoch(test_loss=found.loss, test_accuracy=found.accuracy)
        run.keep_best(found.accuracy)
        if args.report:
            training.write_report(
                args.report, recorder.history, title=f"{args.network} on {name}", options=options,
                summary=summary, model=model, evaluation=found, images=test_images,
                names=data.CIFAR10_CLASSES, log=recorder.log,
            )  # fmt: skip

    found = training.evaluate(model, test)
    print(f"{name}, after {run.epoch} epochs: test accuracy {found.accuracy:.2%}")


if __name__ == "__main__":
    with training.command():  # errors and Ctrl-C end in one line
        main(parse())
