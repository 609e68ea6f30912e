"""The networks of the documents that tinynet grew from, a screenful each."""

from tinynet.models.lenet import LeNet

__all__ = ["LeNet"]
