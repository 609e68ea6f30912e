"""What is kept: weights, states and checkpoints, in safetensors files that are written atomically.

Reading order: files, safetensors_file, saving, checkpoint_file. The loop that saves checkpoints and
resumes from them is `tinynet.training.Checkpoint`.
"""

from tinynet.io.files import CheckpointError
from tinynet.io.saving import load, save

__all__ = ["CheckpointError", "load", "save"]
