"""Text backends: each streams an answer to a request. Heavy libraries load on first use."""
