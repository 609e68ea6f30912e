"""Versions: when the memory of a Value was last changed in place.

One clock stamps nodes and changes. An input exists before the node that uses it, so decreasing
stamps are a reverse topological order, and a value changed after a node kept it has a later stamp
than the node. Values that share memory share their version, a list with one stamp.
"""

from __future__ import annotations

import itertools
from typing import Any

tick = itertools.count(1).__next__
NEVER = (0,)  # the version of a value that was never changed and is not shared


def share_version(a: Any, b: Any) -> None:
    """Note that the Value `a` shares the memory of `b`: a change of one marks both."""
    if b._version is NEVER:
        b._version = [0]
    a._version = b._version


def alias(a: Any) -> Any:
    """A Value outside the graph that shares memory and version with the Value `a`."""
    out = a.result_type(a._data)
    share_version(out, a)
    return out


def increment_version(a: Any) -> None:
    """Mark all Values that share the memory of `a` as changed in place."""
    if a._version is NEVER:
        a._version = [0]
    a._version[0] = tick()
