"""The mathematics of a network as text and pages; the drawings are `tinynet.graph`'s."""

from tinynet.graph import draw, explain, trace
from tinynet.study.derivation import derivation

__all__ = ["derivation", "draw", "explain", "trace"]
