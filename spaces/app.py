"""The chat page as a Hugging Face Space: composes and launches, holds no logic."""

from assistant.compose import build
from assistant.settings import load_settings
from assistant.ui import create_app, launch_options
from assistant.ui.zero_gpu import on_zero_gpu
from assistant.weights import fetch

settings = load_settings()
fetch(settings.profile, data_dir=settings.data_dir)
assistant = on_zero_gpu(build(settings))
demo = create_app(assistant)

if __name__ == "__main__":
    demo.launch(**launch_options(assistant))
