"""TensorBoard's event files, written by tensorboardX."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


class EventWriter:
    """The rows of a history as the scalars "epoch/loss", "step/loss", ... of an event file.

    All stand at the number of steps done, so that one axis fits both. tensorboardX writes in a
    thread of its own.

    Args:
        folder: what ``tensorboard --logdir`` is given; each run that goes on adds a file to it.

    Raises:
        ImportError: if tensorboardX is missing.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            import tensorboardX
        except ImportError:
            raise ImportError(
                "Recorder: event files for TensorBoard are written by tensorboardX, which is not "
                "installed; pip install 'tinynet[tensorboard]', or leave tensorboard out"
            ) from None
        self.folder = os.fspath(folder)
        self._module = tensorboardX
        self._writer: Any = None

    def write(self, row: Mapping[str, Any], step: int) -> None:
        """Add a row at `step`. The file begins with the first, and hides later ones of old files.

        Raises:
            OSError: if the folder cannot be made or written.
        """
        if self._writer is None:
            # A run that was killed may have written steps that are taken again.
            self._writer = self._module.SummaryWriter(self.folder, purge_step=step)
        kind = "step" if "step" in row else "epoch"
        for name, value in row.items():
            if name not in ("epoch", "step"):
                self._writer.add_scalar(f"{kind}/{name}", value, step)
        if kind == "epoch":
            self._writer.flush()

    def close(self) -> None:
        """Write what is left, end the file; the next `write` begins another."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
