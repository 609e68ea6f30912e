"""The mathematics of a network as text, drawings and pages: explain, draw, derive."""
