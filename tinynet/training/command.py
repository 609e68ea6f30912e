"""command: a training program that ends with one line instead of a traceback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tinynet import console
from tinynet.backend import DeviceError
from tinynet.data import DataError
from tinynet.io import CheckpointError
from tinynet.training.interrupt import Interrupted


@contextlib.contextmanager
def command() -> Iterator[None]:
    """Around the main function of a program with the options --checkpoint and --resume.

    Ctrl-C and errors of the user's (no data, no device, no space, another run's checkpoint) end the
    program with one line and the exit status 1. Text that the terminal's encoding lacks is spelled
    out.
    """
    console.spell_out()
    try:
        yield
    except Interrupted as stop:
        raise SystemExit(f"{stop}: use --resume") from None
    except KeyboardInterrupt:
        raise SystemExit(
            "stopped by Ctrl-C; a run with --checkpoint DIR would be saved, for --resume"
        ) from None
    except (DeviceError, DataError, CheckpointError, OSError, ImportError) as why:
        raise SystemExit(f"error: {why}") from None
