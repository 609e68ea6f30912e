"""The mathematics of a network as text, drawings and pages: explain, draw, derive."""

from tinynet.study.derivation import derivation
from tinynet.study.draw import draw
from tinynet.study.explain import explain
from tinynet.study.graph import trace

__all__ = ["derivation", "draw", "explain", "trace"]
