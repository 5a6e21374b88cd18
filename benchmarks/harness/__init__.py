"""What the benchmarks share: runs and databases, paired measurements, counters, results and the gate."""
