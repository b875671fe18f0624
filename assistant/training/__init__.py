"""Training recipes: LayerNorm tuning, losses, samplers, self-blended faces."""
