"""Fast functions on arrays.

Tests compare each with its definition: an operation's formula in `tinynet.ops`, the loops in
`tinynet.testing.definitions`, or NumPy's function.
"""
