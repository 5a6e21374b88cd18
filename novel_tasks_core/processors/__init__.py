"""The processors: what is done to a novel, and how one is written and found."""
