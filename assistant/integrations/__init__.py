"""Doors to consoles that moderators have: answers in the shapes that those read."""
