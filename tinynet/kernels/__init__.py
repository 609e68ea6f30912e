"""Functions on arrays that are there to be quick.

Each has the signature of a textbook definition in `tinynet.testing.definitions` or NumPy, which the
tests hold it to.
"""
