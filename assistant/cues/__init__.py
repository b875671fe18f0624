"""Visible cues: places of a picture that differ in a way that a person can look at.

A cue never moves a score or a verdict. Each is one file with one class; ``weights/cues.json``, made
by ``whyfake train cues``, holds what genuine and manipulated faces show, and a cue without an entry
there stays silent. To add one: a file here, a line in the registry, and a new reference.
"""

from assistant.cues.window import WINDOW_EYES, FaceWindow, face_window

__all__ = ["WINDOW_EYES", "FaceWindow", "face_window"]
