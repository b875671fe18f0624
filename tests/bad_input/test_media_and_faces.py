"""Every bad file gets a typed answer from the media and face stages: never a trace, never half."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

import pytest

from assistant.errors import MediaError
from assistant.faces import is_too_small, make_face
from assistant.faces.centerface import CenterFaceFinder
from assistant.media import load_media, read_path
from assistant.types import CropSpec
from tests.bad_input.files import BAD_FILES, ORDER, BadFile
from tests.unit.faces.scenes import model_file

BY_NAME = {bad.name: bad for bad in BAD_FILES}
REFUSED = [bad for bad in BAD_FILES if bad.code]
READ = [bad for bad in BAD_FILES if not bad.code]


@pytest.fixture
def quiet_disk(tmp_path, monkeypatch) -> Path:
    """An empty folder that is the temporary and the working one."""
    folder = tmp_path / "quiet"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def finder(data_dir) -> CenterFaceFinder:
    return CenterFaceFinder(model_file("centerface", data_dir))


def read(bad: BadFile, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    path = bad.put(folder)
    if bad.code == "no-permission" and os.access(path, os.R_OK):  # root reads everything

        def refuse(*_args, **_kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "open", refuse)
    return read_path(path)


def test_there_are_twenty_at_least_and_each_has_a_name_of_its_own():
    assert len(BAD_FILES) >= 20
    assert len(BY_NAME) == len(BAD_FILES)


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.name)
def test_it_is_refused_with_a_reason_and_a_remedy(bad, tmp_path, quiet_disk, monkeypatch):
    began = time.process_time()
    with pytest.raises(MediaError) as caught:
        load_media(read(bad, tmp_path, monkeypatch))
    assert caught.value.code == bad.code
    assert len(caught.value.user_message) > 20
    assert caught.value.hint
    assert "Traceback" not in str(caught.value)
    assert ORDER not in str(caught.value)  # what the file says is not repeated
    assert time.process_time() - began < 5
    monkeypatch.undo()
    assert list(quiet_disk.iterdir()) == []


@pytest.mark.parametrize("bad", READ, ids=lambda bad: bad.name)
def test_it_is_read_and_has_the_faces_it_has(bad, tmp_path, quiet_disk, monkeypatch, finder):
    media = load_media(read(bad, tmp_path, monkeypatch))
    found = [d for d in finder.find(media.frames[0]) if not is_too_small(d)]
    least, most = bad.faces
    assert least <= len(found) <= most
    for index, detection in enumerate(found):
        make_face(
            media.frames[0], detection, CropSpec(), media_id=media.id, index=index, frame_index=0
        )
    assert list(quiet_disk.iterdir()) == []


@pytest.mark.parametrize("name", ["giant", "giant-gif", "ribbon", "text-bomb", "pixel-bomb"])
def test_a_bomb_never_unfolds_in_memory(name):
    data = BY_NAME[name].build()
    assert len(data) < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        load_media(data)
    except MediaError as error:
        told = error.code
    else:
        told = ""
    assert told == BY_NAME[name].code
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150_000  # KiB; unfolded, each would take 300 MB or more


def test_orders_in_a_file_are_kept_as_inert_text_alone(tmp_path, monkeypatch):
    media = load_media(read(BY_NAME["orders-in-the-picture"], tmp_path, monkeypatch))
    (note,) = media.provenance
    assert note.kind == "editor"
    assert "\n" not in note.value
    assert media.warnings == ()


def test_a_name_or_ending_says_nothing(tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(BY_NAME["pdf"].build())
    with pytest.raises(MediaError, match="PDF"):
        load_media(read_path(path))
    picture = tmp_path / "notes.txt"
    picture.write_bytes(BY_NAME["no-face"].build())
    assert load_media(read_path(picture)).kind == "image"
