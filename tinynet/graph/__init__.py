"""The recorded graph as data, and its readers: explain, draw and summary."""

from tinynet.graph.draw import draw
from tinynet.graph.explain import explain
from tinynet.graph.summary import summary
from tinynet.graph.trace import trace

__all__ = ["draw", "explain", "summary", "trace"]
