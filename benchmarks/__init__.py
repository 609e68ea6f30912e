"""Benchmarks of tinynet and PyTorch; see `python benchmarks/run.py --help`."""
