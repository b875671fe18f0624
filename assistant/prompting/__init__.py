"""Prompts as reviewed, versioned, hashed files: found, parsed, checked, rendered."""

from assistant.prompting.files import Prompt
from assistant.prompting.library import LOCK, PromptLibrary
from assistant.routing import clean_user_text

__all__ = ["LOCK", "Prompt", "PromptLibrary", "clean_user_text"]
