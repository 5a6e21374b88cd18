"""Who may come in: where a request comes from, what its token says, and how often it may ask."""
