"""Whyfake: an explainable deepfake-detection chat assistant.

Importing this package loads no heavy library; :func:`assistant.compose.build` makes an assistant.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
