"""The only place that knows the database driver, and the files on disk."""
