"""The mathematics of a network as text and as a page; `tinynet.graph` makes the drawings."""

from tinynet.graph import draw, explain, trace
from tinynet.study.derivation import derivation

__all__ = ["derivation", "draw", "explain", "trace"]
