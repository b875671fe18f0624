"""The case page for those without a console: log in, look, ask, decide, appeal."""
