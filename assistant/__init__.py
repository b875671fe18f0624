"""Whyfake: an explainable deepfake-detection chat assistant.

Importing this package loads no heavy library; :func:`assistant.compose.build` makes an assistant.
"""

from assistant.compute import wait_quietly

__all__ = ["__version__"]

wait_quietly()  # before any library with threads of its own is loaded

__version__ = "0.1.0"
