import os

import pytest

from assistant.errors import MediaError
from assistant.media import MediaLimits, read_path
from assistant.media.files import mebibytes


def code_of(path, **limits) -> str:
    with pytest.raises(MediaError) as caught:
        read_path(path, MediaLimits(**limits))
    assert caught.value.user_message
    assert caught.value.hint
    return caught.value.code


def test_a_file_is_read(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    assert read_path(path) == b"abc"


def test_what_is_no_file_is_told_apart(tmp_path):
    assert code_of(tmp_path / "missing.jpg") == "missing-path"
    assert code_of(tmp_path) == "folder"
    assert code_of(tmp_path / ("x" * 5000)) == "unreadable-path"
    assert code_of(tmp_path / "a\0b") == "unreadable-path"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert code_of(loop) == "unreadable-path"
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe") == "not-a-file"


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "closed.jpg"
    path.write_bytes(b"abc")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything

        def refuse(*_args, **_kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "open", refuse)
    assert code_of(path) == "no-permission"


def test_no_more_than_the_limit_is_read(tmp_path):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(5_000_000)  # a sparse file
    assert code_of(path, max_image_bytes=1000, max_video_bytes=4_999_999) == "file-too-large"
    assert (
        len(read_path(path, MediaLimits(max_image_bytes=1, max_video_bytes=5_000_000))) == 5_000_000
    )


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (99_999, "99,999 bytes"), (3 * 1024**2, "3.0 MiB")]
)
def test_sizes_read_well(count, text):
    assert mebibytes(count) == text
