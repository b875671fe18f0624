"""The HTTP API: analyse, jobs, cases, questions about them, health and metrics."""
