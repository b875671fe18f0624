import pytest
from click.testing import CliRunner

from assistant.cli.main import main
from assistant.evaluation.cross_dataset import (
    PUBLISHED,
    cross_dataset_markdown,
    cross_dataset_table,
)
from assistant.evaluation.face_manifest import read_manifest
from assistant.evaluation.scoring import ScoredRow
from assistant.types import Verdict


@pytest.fixture
def rows(tmp_path):
    lines = ["path,label,source,video"]
    for number in range(40):
        (tmp_path / f"{number}.jpg").touch()
        lines.append(f"{number}.jpg,{number // 2 % 2},x,v{number // 2}")
    path = tmp_path / "m.csv"
    path.write_text("\n".join(lines))
    return read_manifest(path)


def scored(rows, logit):
    return [
        ScoredRow(
            row=r,
            face="found",
            frames=1,
            logit=logit(r),
            probability=0.5,
            low=0.4,
            high=0.6,
            verdict=Verdict.UNCERTAIN,
        )
        for r in rows
    ]


def test_video_auroc_stands_beside_the_published_number(rows):
    def frame(r):
        # one frame of each video misleads; the mean over frames does not
        return (3.0 if r.line % 2 else -2.0) * (1 if r.label else -1)

    found = cross_dataset_table(
        {
            "cdfv2": scored(rows, frame),
            "Celeb-DF-v2": scored(rows, lambda r: -r.label),
            "own": [] or scored(rows, frame),
        },
        resamples=10,
    )
    entry = found["sets"]["cdfv2"]
    assert entry["auroc"] == 1.0
    assert entry["frame_auroc"] < 0.9
    assert entry["videos"] == 20
    assert entry["published"] == PUBLISHED["cdfv2"]
    assert entry["difference"] == pytest.approx(1 - PUBLISHED["cdfv2"], abs=1e-4)
    assert found["sets"]["Celeb-DF-v2"]["published"] == PUBLISHED["cdfv2"]
    assert found["sets"]["Celeb-DF-v2"]["auroc"] == 0.0
    assert found["sets"]["own"]["published"] is None
    assert found["mean"] == 0.5
    text = cross_dataset_markdown(found)
    assert "0.966" in text
    assert "2503.19683" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["cdfv2"], "NAME=MANIFEST"), (["a=m.csv", "a=m.csv"], "twice"), ([], "Missing argument")],
)
def test_wrong_arguments_of_the_table_are_told(arguments, words, rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["eval", "cross-dataset", *arguments])
    assert result.exit_code == 2
    assert words in result.output
