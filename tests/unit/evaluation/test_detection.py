import csv
import json

import cv2
import numpy as np
import pytest
from sklearn import metrics as reference

from assistant.errors import TrainingError
from assistant.evaluation import detection_metrics as metrics
from assistant.evaluation.detection import evaluate, summarise
from assistant.evaluation.detection_report import markdown, write_plots
from assistant.evaluation.face_manifest import read_manifest
from assistant.evaluation.robustness import CHANGES, robustness_markdown, robustness_table
from assistant.evaluation.scoring import write_scores
from assistant.scoring import Scorer
from assistant.types import Calibrated, CropSpec, Detection, Verdict


class Brightness:
    """A detector that calls bright faces manipulated."""

    name = "brightness"
    crop_spec = CropSpec(size=64, scale=1.3)
    weights_sha256 = "0" * 64

    def logits(self, crops):
        return np.array([crop.mean() / 25.5 - 5.0 for crop in crops])

    def provenance(self):
        return {}


class Middle:
    """Finds a face in the middle of every picture that is not black."""

    name = "middle"

    def find(self, image):
        height, width = image.shape[:2]
        if image.max() < 10:
            return ()
        points = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]])
        return (
            Detection(
                box_xyxy=(0.3 * width, 0.3 * height, 0.7 * width, 0.7 * height),
                landmarks=(points * [width, height]).astype(np.float32),
                confidence=0.9,
            ),
        )

    def provenance(self):
        return {}


class Logistic:
    name = "logistic"
    thresholds = (0.3, 0.7)

    def calibrate(self, logit):
        p = 1 / (1 + np.exp(-logit))
        verdict = Verdict.LIKELY_MANIPULATED if p >= 0.7 else Verdict.NO_SIGN
        return Calibrated(probability=p, interval=(p * 0.9, p), verdict=verdict)


SCORER = Scorer(detector=Brightness(), calibrator=Logistic())


def picture(path, value):
    rng = np.random.default_rng(int(value))
    noisy = np.clip(value + rng.integers(-3, 4, (80, 80, 3)), 0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), noisy)


def write(folder, rows, header="path,label,source,video,family,crop"):
    path = folder / "m.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def manifest(tmp_path):
    rows = []
    for i in range(12):
        fake = i % 2
        source = "a" if i < 6 else "b"
        value = 60 + 10 * i + (60 if fake else 0)
        picture(tmp_path / f"{i}.png", value)
        rows.append(f"{i}.png,{fake},{source},v{i // 2},{'swap' if fake else 'real'},1")
    return write(tmp_path, rows)


def run(path, **kw):
    return evaluate(read_manifest(path), Middle(), SCORER, resamples=30, **kw)


def test_numbers_by_source_agree_with_the_reference(manifest):
    result, scored = run(manifest)
    for name in ("a", "b"):
        rows = [s for s in scored if s.row.source == name]
        labels = [s.row.label for s in rows]
        numbers = result["sources"][name]
        assert numbers["auroc"] == pytest.approx(
            reference.roc_auc_score(labels, [s.logit for s in rows]), abs=1e-4
        )
        assert numbers["brier"] == pytest.approx(
            reference.brier_score_loss(labels, [s.probability for s in rows]), abs=1e-4
        )
        assert numbers["nll"] == pytest.approx(
            reference.log_loss(labels, [s.probability for s in rows]), abs=1e-4
        )
        assert numbers["n"] == 6
        assert numbers["no_face"] == 0
        assert numbers["abstained"] == sum(s.domain == "outside" for s in rows)
        assert numbers["auroc_ci"][0] <= numbers["auroc"] <= numbers["auroc_ci"][1]
    assert set(result["cross_auc"]["a"]) == {"a", "b"}
    assert result["overall"]["n"] == 12
    assert result["families"]["swap"]["n"] == 12
    json.dumps(result, allow_nan=False)


def test_rank_metrics_with_ties():
    labels = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    scores = np.array([0.1, 0.2, 0.3, 0.3, 0.6, 0.7, 0.8, 0.9])
    # 13 of 16 pairs in order, one tied pair counts half.
    assert metrics.auroc(labels, scores) == pytest.approx(14.5 / 16)
    assert metrics.tpr_at_fpr(labels, scores, 0.1) == 0.75
    assert metrics.eer(labels, scores) == pytest.approx(0.25)
    assert metrics.eer(np.ones(3, np.int64), np.ones(3)) is None
    assert metrics.average_precision(labels, scores) == pytest.approx(3 / 4 + 1 / 4 * 4 / 6)
    assert metrics.brier(labels, labels.astype(float)) == 0.0
    assert metrics.negative_log_likelihood(labels, np.full(8, 0.5)) == pytest.approx(np.log(2))


def test_a_constant_half_is_calibrated_on_balanced_labels_and_a_sure_liar_is_not():
    labels = np.repeat([0, 1], 50)
    assert metrics.ece(labels, np.full(100, 0.5)) == pytest.approx(0.0)
    assert metrics.ece(labels, 1.0 - labels) == pytest.approx(1.0)


def test_a_face_that_is_not_found_is_counted_and_scored_only_where_the_row_is_a_crop(tmp_path):
    picture(tmp_path / "x.png", 150)
    picture(tmp_path / "y.png", 30)
    for name in ("dark.png", "crop.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((80, 80, 3), np.uint8))
    path = write(
        tmp_path,
        ["x.png,1,s,1,,0", "y.png,real,s,2,,0", "dark.png,0,s,3,,0", "crop.png,0,s,4,,1"],
    )
    result, scored = run(path)
    assert result["sources"]["s"]["no_face"] == 2
    by_name = {s.row.name: s for s in scored}
    # A face so dark gets no quiet verdict, here as on the page.
    assert by_name["y.png"].domain == "outside"
    assert result["sources"]["s"]["abstained"] == 2
    assert by_name["dark.png"].logit is None
    assert by_name["crop.png"].logit is not None
    assert by_name["crop.png"].face == "whole"


def test_scores_are_written_in_the_order_of_the_manifest(manifest, tmp_path):
    _, scored = run(manifest)
    write_scores(scored[::-1], tmp_path / "s.csv")
    with (tmp_path / "s.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"{i}.png" for i in range(12)]
    assert all(float(row["low"]) <= float(row["probability"]) <= float(row["high"]) for row in rows)
    with pytest.raises(TrainingError):
        write_scores(scored, tmp_path / "no" / "s.csv")


def test_a_file_that_does_not_decode_is_counted_and_named(manifest, tmp_path):
    (tmp_path / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    result, _ = run(manifest)
    assert result["sources"]["a"]["unreadable"] == 1
    assert any("0.png" in text for text in result["warnings"])


def test_all_wrong_lines_are_named_at_once(tmp_path):
    picture(tmp_path / "x.png", 100)
    path = write(
        tmp_path,
        ["x.png,1,s,1,,0", "x.png,0,s,1,,0", "gone.png,0,s,1,,0", "x.png,maybe,s,1,,2", ",1,s,1,,"],
    )
    with pytest.raises(TrainingError) as caught:
        read_manifest(path)
    text = str(caught.value)
    for words in ("line 3", "already on line 2", "line 4", "gone.png", "line 5", "maybe", "line 6"):
        assert words in text


@pytest.mark.parametrize(
    ("content", "words"),
    [("a,b\n1,2\n", "path, label"), ("path,label\n", "no picture"), ("", "column")],
)
def test_a_manifest_without_its_columns_is_refused(content, words, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(content)
    with pytest.raises(TrainingError, match=words):
        read_manifest(path)
    with pytest.raises(TrainingError, match="no manifest"):
        read_manifest(tmp_path / "none.csv")


def test_no_face_anywhere_is_an_error(tmp_path):
    cv2.imwrite(str(tmp_path / "d.png"), np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(TrainingError, match="no face was found in 1"):
        run(write(tmp_path, ["d.png,0,s,1,,0"]))


def test_one_class_gives_no_auroc_and_says_so(tmp_path):
    picture(tmp_path / "x.png", 100)
    result, _ = run(write(tmp_path, ["x.png,0,s,1,,0"]))
    assert result["sources"]["s"]["auroc"] is None
    assert any("one class" in text for text in result["warnings"])
    assert "one class" in markdown(result)


def test_a_video_is_scored_by_the_mean_of_its_pictures(tmp_path):
    for i, value in enumerate((100, 140, 60, 70)):
        picture(tmp_path / f"{i}.png", value)
    path = write(tmp_path, ["0.png,1,s,v,,1", "1.png,1,s,v,,1", "2.png,0,s,v,,1", "3.png,0,s,w,,1"])
    result, scored = run(path)
    assert result["videos"]["s"]["n"] == 3
    assert result["sources"]["s"]["n"] == 4
    assert summarise(scored, resamples=5)["videos"]["s"]["auroc"] == 1.0


def test_plots_and_page(manifest, tmp_path):
    pytest.importorskip("matplotlib")
    result, scored = run(manifest)
    write_plots(scored, result, tmp_path / "plots")
    assert (tmp_path / "plots" / "roc.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "plots" / "report.html").read_text()
    assert page.count("<img") == 2
    assert "overall" in page


def test_robustness_compares_each_picture_before_and_after_a_change(manifest):
    def darker(image, rng):
        return (image // 4).astype(np.uint8)

    changes = {"none": None, "mirrored": CHANGES["mirrored"], "darker": darker}
    table = robustness_table(read_manifest(manifest), Middle(), SCORER, limit=8, changes=changes)
    assert table["rows"] == 8
    none, mirrored, dark = table["changes"].values()
    assert mirrored["sources"]["overall"] == none["sources"]["overall"]
    assert none["verdict_kept"] == none["interval_holds"] == mirrored["verdict_kept"] == 1.0
    assert dark["verdict_kept"] < 1.0
    assert dark["interval_holds"] < 1.0
    assert "| darker |" in robustness_markdown(table)


def test_a_face_that_is_not_found_any_more_is_counted(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", 100)
    path = write(tmp_path, [f"{i}.png,{i % 2},a,v{i},x,0" for i in range(4)])

    def last_black(image, rng):
        return np.zeros_like(image) if rng.random() < 0.6 else image

    table = robustness_table(
        read_manifest(path),
        Middle(),
        SCORER,
        changes={"none": None, "some black": last_black},
    )
    assert table["changes"]["none"]["lost"] == 0
    assert 0 < table["changes"]["some black"]["lost"] < 4


@pytest.mark.parametrize("name", [n for n, c in CHANGES.items() if c])
def test_each_change_makes_a_new_picture(name):
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    before = crop.copy()
    changed = CHANGES[name](crop, rng)
    assert changed.dtype == np.uint8
    assert changed.shape != crop.shape or (changed != crop).any()
    assert (crop == before).all()
