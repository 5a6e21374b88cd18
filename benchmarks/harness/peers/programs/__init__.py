"""The programs of the peers. Each runs in the peer's own environment, where nothing of ours but this package is."""
