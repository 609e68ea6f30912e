"""TensorBoard's event files, written by tensorboardX."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


class EventWriter:
    """Writes the rows of a history to an event file, as scalars "epoch/loss", "step/loss", ...

    The axis of both is the number of steps. tensorboardX writes in its own thread.

    Args:
        folder: for ``tensorboard --logdir``; a resumed run adds a file.

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
        """Add a row at `step`. The first row begins a file, which hides later steps of older files.

        Raises:
            OSError: if the folder cannot be created or written.
        """
        if self._writer is None:
            # A killed run may have written steps that are now repeated.
            self._writer = self._module.SummaryWriter(self.folder, purge_step=step)
        kind = "step" if "step" in row else "epoch"
        for name, value in row.items():
            if name not in ("epoch", "step"):
                self._writer.add_scalar(f"{kind}/{name}", value, step)
        if kind == "epoch":
            self._writer.flush()

    def close(self) -> None:
        """Write pending rows and close the file; the next `write` begins another."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
