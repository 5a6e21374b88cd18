"""What happens around every request: one concern a file; `app` states their order."""
