"""Saving and loading: weights, states and checkpoints in safetensors files, written atomically.

Reading order: files, safetensors_file, saving, checkpoint_file. `tinynet.training.Checkpoint` is
the loop that saves checkpoints and resumes from them.
"""

from tinynet.io.files import CheckpointError
from tinynet.io.saving import load, save

__all__ = ["CheckpointError", "load", "save"]
