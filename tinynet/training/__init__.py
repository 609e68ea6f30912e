"""Pieces that a plain training loop calls: checkpoints, a record of the run, metrics, plots.

None of them hides the loop: forward, loss, backward and step stay in the user's own lines.
"""
