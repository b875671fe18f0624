"""Case files: an analysis kept with its evidence, its decisions and a log whose tampering shows."""
