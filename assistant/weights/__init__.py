"""Model files: which there are, where they lie, whether they are right, how to get them."""

from assistant.weights.fetching import Fetched, fetch
from assistant.weights.manifest import Entry, Manifest, Profile, manifest
from assistant.weights.store import State, data_dir_or_default, inspect_entry, locate, path_of

__all__ = [
    "Entry",
    "Fetched",
    "Manifest",
    "Profile",
    "State",
    "data_dir_or_default",
    "fetch",
    "inspect_entry",
    "locate",
    "manifest",
    "path_of",
]
