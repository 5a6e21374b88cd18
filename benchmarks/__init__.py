"""Throughput as ratios and counts: `python -m benchmarks --list` says what there is.

Each benchmark is a module of this package that documents what it measures and against which bound; the
machinery they share is in `harness`.
"""
