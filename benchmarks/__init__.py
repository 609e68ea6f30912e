"""Benchmarks of tinynet beside PyTorch; `python benchmarks/run.py --help` says what there is."""
