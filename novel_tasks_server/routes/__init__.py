"""The handlers: thin, each module one resource with the table of its routes."""
