"""Write the study page: ``python -m tinynet.study``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tinynet.console import spell_out
from tinynet.io.files import CheckpointError, write_atomically
from tinynet.io.saving import load
from tinynet.nn import Module
from tinynet.random import manual_seed
from tinynet.study.digit import InputError, load_digit
from tinynet.study.networks import NETWORKS
from tinynet.study.page import page
from tinynet.study.step import study


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tinynet.study",
        description="Write one HTML file that shows a training step of a network on one digit, "
        "forward and backward: each operation's formula, source, numbers as pictures, derivation, "
        "gradients and finite differences. The file opens in any browser, without a network "
        "connection.",
    )
    option = parser.add_argument
    option("--model", choices=NETWORKS, default="lenet",
           help="lenet (default); or mlp_by_hand, in the documents' symbols, on the package's "
                "digits of 8x8 or an image file")  # fmt: skip
    option("--image", default="0", metavar="FILE|INDEX",
           help="index of a digit in the data set's test part (default: 0); or a square image file "
                "of a digit, of any size")  # fmt: skip
    option("--label", type=int, metavar="DIGIT", help="the digit in the image file")
    option("--data", metavar="mnist|digits|ROOT",
           help="MNIST, the package's digits, or a folder with MNIST's files (default: MNIST if "
                "found, else the package's digits)")  # fmt: skip
    option("--checkpoint", metavar="FILE", help="weights (safetensors; default: random)")
    option("--out", default="tinynet-study.html", metavar="FILE",
           help="the file to write (default: tinynet-study.html)")  # fmt: skip
    option("--seed", type=int, default=0, help="seed of random weights and of the choice of "
           "entries for finite differences (default: 0)")  # fmt: skip
    return parser


def load_weights(model: Module, path: str) -> None:
    """Load weights from a file into the model.

    Raises:
        InputError: if the file cannot be read, or holds another model's weights.
    """
    try:
        state = load(path)
        # a training run's checkpoint holds the weights under "model"
        model.load_state_dict(state["model"] if isinstance(state.get("model"), dict) else state)
    except (OSError, ValueError, TypeError, ImportError, CheckpointError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"--checkpoint {path}: {reason}") from None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    spell_out()
    options = _parser().parse_args(arguments)
    try:
        if sys.flags.optimize > 1:
            raise InputError("the page is made of docstrings; run Python without -OO (-O is fine)")
        if options.seed < 0:
            raise InputError(f"--seed is {options.seed}; it must be at least 0")
        network = NETWORKS[options.model]
        digit = load_digit(options.image, options.data, options.label, network.size)
        manual_seed(options.seed)
        model = network.build().to("cpu")  # the page needs NumPy, whatever the default device
        weights = f"random, seed {options.seed}"
        if options.checkpoint is not None:
            load_weights(model, options.checkpoint)
            weights = f"from {Path(options.checkpoint).name}"
        text = page(study(network, model, digit, options.seed), model, weights)
        path = Path(options.out)
        if path.is_dir():
            raise InputError(f"--out {path} is a folder; give the name of a file")
        try:
            write_atomically(str(path), text.encode())
        except OSError as error:
            raise InputError(f"--out {path} cannot be written ({error.strerror})") from None
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{path.resolve()} ({len(text.encode()) / 1e6:.1f} MB): a {digit.label}, {digit.source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
