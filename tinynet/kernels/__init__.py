"""Functions on arrays that are there to be quick.

Each has the signature of the definition that the tests hold it to: an operation's textbook line in
`tinynet.ops`, loops in `tinynet.testing.definitions`, or NumPy's function.
"""
