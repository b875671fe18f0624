"""Public layouts of video sets judged by clip, on trees of tiny drawn clips."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from assistant.cli.main import main
from assistant.errors import TrainingError
from assistant.evaluation.judged import JudgedFile
from assistant.evaluation.made_clips import encoded
from assistant.evaluation.reencoding import reencoding_table
from assistant.evaluation.video_sets import clip_of, judge_samples, set_tables
from assistant.fakes import BrightnessDetector, FlatCalibrator, SkinFaceFinder
from assistant.media import MediaLimits
from assistant.scoring import Scorer
from assistant.training.layouts import Sample, read_layout
from tests.drawn import drawn_faces

SIZE = (240, 180)
LIMITS = MediaLimits(frames=4)


def pictures(count: int = 8, light: float = 1.0) -> list[np.ndarray]:
    face = np.clip(drawn_faces(1, size=SIZE) * light, 0, 255).astype(np.uint8)
    return [np.roll(face, number, axis=1) for number in range(count)]


def as_file(path: Path, light: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(pictures(light=light), 20, rate=8))


def as_frames(folder: Path, light: float = 1.0) -> None:
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures(light=light)):
        cv2.imwrite(str(folder / f"{number:03}.png"), picture[..., ::-1])


def tree(name: str, root: Path) -> Path:
    """Two genuine and two brighter manipulated videos, as the set is published."""
    real, fake = {
        "ffpp": (
            "original_sequences/youtube/c23/videos/{:03}.mp4",
            "manipulated_sequences/Deepfakes/c23/videos/{:03}_009.mp4",
        ),
        "dfd": (
            "original_sequences/actors/c23/videos/{:02}__walk.mp4",
            "manipulated_sequences/DeepFakeDetection/c23/videos/{:02}_03__walk__X.mp4",
        ),
        "celeb-df-v2": ("Celeb-real/id{}_0000.mp4", "Celeb-synthesis/id{}_id9_0000.mp4"),
        "ffiw": ("source/test/{:08}.mp4", "target/test/{:08}.mp4"),
        "deepspeak": ("test/real/{}.mp4", "test/fake/wav2lip/{}0.mp4"),
        "folders": ("real/{}.mp4", "fake/{}.mp4"),
        "dfdc": ("dfdc_train_part_0/a{}.mp4", "dfdc_train_part_0/b{}.mp4"),
        "df40": ("real/cdf/frames/id{}_0000", "simswap/cdf/frames/id{}_id9_0000"),
    }[name]
    for number in range(2):
        for place, light in ((real, 0.8), (fake, 1.2)):
            path = root / place.format(number)
            (as_file if path.suffix else as_frames)(path, light)
    if name == "dfdc":
        known = {
            f"{c}{n}.mp4": {"label": k} for c, k in (("a", "REAL"), ("b", "FAKE")) for n in (0, 1)
        }
        (root / "dfdc_train_part_0/metadata.json").write_text(json.dumps(known))
    return root


def scorer() -> Scorer:
    return Scorer(detector=BrightnessDetector(), calibrator=FlatCalibrator())


@pytest.mark.parametrize(
    "name", ["ffpp", "dfd", "celeb-df-v2", "ffiw", "deepspeak", "folders", "dfdc", "df40"]
)
def test_a_published_layout_is_judged_by_clip(name: str, tmp_path: Path) -> None:
    samples = read_layout(name, tree(name, tmp_path))

    people = judge_samples(samples, SkinFaceFinder(), scorer(), LIMITS, file=JudgedFile(None, ""))

    assert [p.manipulated for p in people] == [False, False, True, True]
    assert all(len(p.moments) >= 4 for p in people)
    (table,) = set_tables(people, 20).values()
    assert table["rules"]["mean"]["auroc"] == 1.0
    assert (table["people"], table["not_judged"]) == (4, 0)


def test_a_folder_of_frames_is_a_clip_that_can_be_looked_at_closely(tmp_path: Path) -> None:
    as_frames(tmp_path / "one")
    files = tuple(sorted((tmp_path / "one").iterdir()))
    cv2.imwrite(str(files[5]), pictures()[5][:90, :120, ::-1])  # a crop of another size
    sample = Sample(files=files, label=0, source="s", video="v", family="")

    media = clip_of(sample, LIMITS)

    assert media.kind == "video"
    assert media.seconds == pytest.approx((0.04, 0.12, 0.2, 0.28))
    assert media.span == (0.0, 0.28)
    assert media.further is not None
    further = list(media.further([0.16, 0.17, 9.0]))
    assert [at for at, _ in further] == [0.16, 0.28]
    assert {frame.shape for _, frame in further} == {(180, 240, 3)}


def test_a_clip_that_cannot_be_read_is_counted_and_has_no_score(tmp_path: Path) -> None:
    root = tree("folders", tmp_path)
    (root / "real/0.mp4").write_bytes((root / "real/0.mp4").read_bytes()[:300])

    samples = read_layout("folders", root)
    people = judge_samples(samples, SkinFaceFinder(), scorer(), LIMITS, file=JudgedFile(None, ""))

    assert [bool(p.moments) for p in people] == [False, True, True, True]
    assert set_tables(people, 20)["clips"]["not_judged"] == 1


def test_what_was_judged_is_kept_and_not_judged_again(tmp_path: Path) -> None:
    samples = read_layout("folders", tree("folders", tmp_path))[1:3]
    path = tmp_path / "judged.jsonl"
    first = judge_samples(
        samples, SkinFaceFinder(), scorer(), LIMITS, file=JudgedFile(path, "a" * 64), again=True
    )
    for sample in samples:
        sample.files[0].unlink()

    kept = JudgedFile(path, "a" * 64)
    again = judge_samples(samples, SkinFaceFinder(), scorer(), LIMITS, file=kept, again=True)

    assert again == first
    assert [p.again for p in first] == [False, True, False, True]
    told = reencoding_table(first, FlatCalibrator())
    assert (told["people"], told["kept"]) == (2, 2)
    assert 0 <= told["change"] < 0.1
    with pytest.raises(TrainingError, match="other weights"):
        JudgedFile(path, "b" * 64)
    path.write_text("{}\n")
    with pytest.raises(TrainingError, match="line 1"):
        JudgedFile(path, "a" * 64)


def test_the_command_says_which_layouts_there_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["eval", "video", "--set", "ff", str(tmp_path)])

    assert result.exit_code == 2
    assert "celeb-df-v2" in result.output
