"""The chat page: builds a Gradio app around an assistant, never launches it by itself."""

from assistant.ui.app import create_app
from assistant.ui.launching import launch_options

__all__ = ["create_app", "launch_options"]
