"""The map table on a detector whose reason is known: the true methods must win it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assistant.attribution.attention import GradientAttention
from assistant.attribution.occlusion import Occlusion
from assistant.attribution.patches import PatchLens
from assistant.attribution.random_map import RandomMap
from assistant.errors import TrainingError
from assistant.evaluation.known_masks import (
    KINDS,
    AlignedFace,
    known_masks,
    region_swap,
    sample_rounds,
)
from assistant.evaluation.map_faces import manifest_pictures, shipped_pictures
from assistant.evaluation.maps import CENTRE, METRICS, TRUTH, able, evaluate_maps
from assistant.evaluation.maps_report import maps_json, maps_markdown, pick_default
from assistant.evaluation.pages import maps_page
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import CropSpec
from tests.planted import PlantedCueDetector

POINTS = template_points(CropSpec(size=224, scale=0.95, shift_y=-0.13))
MOUTH_CUE = (10, 6, 3, 4)


def face(seed, mouth=None):
    rng = np.random.default_rng(seed)
    crop = rng.normal(110 + 10 * seed, 14, (224, 224, 3)).clip(0, 255).astype(np.uint8)
    if mouth is not None:
        crop[140:182, 84:140] = mouth
    return AlignedFace(crop=crop, crop_landmarks=POINTS, name=f"drawn {seed}")


FACES = [face(0), face(1), face(2)]


def test_every_kind_is_made_from_every_face():
    samples = list(known_masks(FACES))
    assert [s.kind for s in samples] == list(KINDS) * 3
    for sample in samples:
        assert sample.crop.dtype == np.uint8
        assert sample.crop.shape == (224, 224, 3)
        assert sample.mask.any() == (sample.kind != "untouched")


def test_what_is_outside_the_mask_is_nearly_untouched():
    for sample in known_masks(FACES[:2], kinds=("mouth", "eye", "nose", "half", "whole")):
        original = next(f for f in FACES if f.name == sample.name).crop
        change = np.abs(sample.crop.astype(int) - original).sum(2)
        assert change[sample.mask].mean() > 10 * max(change[~sample.mask].mean(), 0.01)


def test_untouched_is_untouched():
    (sample,) = known_masks(FACES[:1], kinds=("untouched",))
    np.testing.assert_array_equal(sample.crop, FACES[0].crop)


def test_region_names_belong_to_single_regions():
    named = {s.kind: s.region for s in known_masks(FACES[:1])}
    assert named["mouth"] == "mouth"
    assert named["nose"] == "nose"
    assert named["eye"] in ("left eye", "right eye")
    assert all(named[k] == "" for k in ("half", "whole", "self-blend", "untouched"))


def test_the_same_seed_makes_the_same_samples():
    first, again, other = (list(known_masks(FACES, seed=s)) for s in (1, 1, 2))
    assert all((a.crop == b.crop).all() for a, b in zip(first, again, strict=True))
    assert any((a.crop != b.crop).any() for a, b in zip(first, other, strict=True))


def test_a_single_face_is_its_own_mirrored_donor():
    samples = list(known_masks(FACES[:1], kinds=("mouth",)))
    assert (samples[0].crop != FACES[0].crop).any()


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (np.zeros((224, 224), bool), "swap-mask"),
        (np.ones((224, 224), bool), "swap-mask"),
        (np.ones((10, 10), bool), "swap-size"),
    ],
)
def test_a_mask_of_nothing_or_everything_is_a_typed_error(mask, code):
    with pytest.raises(TrainingError) as caught:
        region_swap(FACES[0], FACES[1], mask)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("faces", "kinds", "code"), [([], KINDS, "no-faces"), (FACES, ("ear",), "mask-kind")]
)
def test_impossible_wishes_are_typed_errors(faces, kinds, code):
    with pytest.raises(TrainingError) as caught:
        list(known_masks(faces, kinds=kinds))
    assert caught.value.code == code


@pytest.fixture(scope="module")
def table():
    """Donors with red mouths: a swapped mouth is what the planted detector flags."""
    faces = [face(0, mouth=(225, 60, 60)), face(1, mouth=(225, 60, 60)), face(2)]
    samples = list(known_masks(faces, kinds=("mouth", "untouched")))
    return evaluate_maps(
        PlantedCueDetector(MOUTH_CUE),
        FlatCalibrator(),
        samples,
        [PatchLens(), GradientAttention(), Occlusion(), RandomMap()],
        randomised={"sanity_spearman": PlantedCueDetector((0, 0, 3, 4))},
        deep=2,
        show=2,
    )


SPECIFIC = {
    "patch-lens": True,
    "gradient-attention": True,
    "occlusion": True,
    "random": False,
}


@pytest.fixture(scope="module")
def result(table):
    return maps_json(table, SPECIFIC, detector={"weights_sha256": "a" * 64}, source="3 drawn faces")


def test_the_table_has_every_figure(result):
    assert result["schema"] == "whyfake.maps/1"
    assert set(result["methods"]) == {*SPECIFIC, CENTRE, TRUTH}
    for name, entry in result["methods"].items():
        wanted = set(METRICS) | {"ms", "ms_over_score", "n", "interval", "all", "by_kind"}
        assert wanted <= set(entry), name
    json.dumps(result, allow_nan=False)


def test_the_true_mask_is_right_about_everything(result):
    truth = result["methods"][TRUTH]
    assert truth["pointing"] == truth["iou"] == truth["first_region"] == 1.0
    assert truth["deletion_below_random"] == 1.0
    assert result["default"] != TRUTH


def test_regions_are_counted_where_one_is_named_and_where_the_swap_is_the_cause(table):
    named = table.values("patch-lens", "named")
    right = table.values("patch-lens", "named_right")
    assert len(right) == sum(named)
    rows = [row for row in table.rows if row.method == "patch-lens" and row.flagged]
    as_it_is = {row.name for row in rows if row.kind == "untouched"}
    caused = [row for row in rows if row.region and row.name not in as_it_is]
    assert len(table.values("patch-lens", "first_region_caused")) == len(caused)
    assert set(table.values("patch-lens", "named_untouched")) <= {0.0, 1.0}


def test_true_methods_beat_the_controls(result):
    methods = result["methods"]
    for name in ("patch-lens", "gradient-attention"):
        assert methods[name]["pointing"] == 1.0
        assert methods[name]["auprc"] > 2 * methods["random"]["auprc"]
        assert methods[name]["first_region"] == 1.0
        assert methods[name]["deletion_auc"] < methods["random"]["deletion_auc"]
        assert methods[name]["deletion_below_random"] == 1.0
        assert methods[name]["sanity_spearman"] < 0.3
    assert methods["random"]["sanity_spearman"] == 1.0  # it never looks at the weights


def test_slow_methods_run_on_half_of_the_deep_samples(result):
    methods = result["methods"]
    assert methods["occlusion"]["n"] == methods["occlusion"]["n_deep"] <= 1
    assert methods["patch-lens"]["n"] >= methods["occlusion"]["n"]


def test_the_default_is_a_class_specific_attributor(result):
    assert result["default"] in ("patch-lens", "gradient-attention", "occlusion")
    assert set(result["targets"]) >= {"pointing", "iou", "sanity_spearman", "first_region"}
    for target in result["targets"].values():
        assert isinstance(target["met"], bool)


def test_the_default_rule():
    def method(pointing, iou, cost, specific=True):
        return {
            "pointing": pointing,
            "iou": iou,
            "ms_over_score": cost,
            "class_specific": specific,
        }

    methods = {
        "best-but-slow": method(0.9, 0.9, 50.0),
        "agnostic": method(0.9, 0.9, 1.0, specific=False),
        "good": method(0.7, 0.4, 1.2),
        "poor": method(0.2, 0.1, 1.0),
    }
    assert pick_default(methods) == "good"
    methods["names"] = {**method(0.7, 0.35, 1.2), "first_region": 0.6}
    methods["good"]["first_region"] = 0.3
    assert pick_default(methods) == "names"
    assert pick_default({k: methods[k] for k in ("best-but-slow", "agnostic")}) == "best-but-slow"


def test_a_detector_that_flags_nothing_is_measured_on_all(table):
    class Never(FlatCalibrator):
        def calibrate(self, logit):
            return super().calibrate(-9.0)

    samples = list(known_masks(FACES, kinds=("nose",)))
    quiet = evaluate_maps(
        PlantedCueDetector(MOUTH_CUE), Never(), samples, [PatchLens(), RandomMap()], deep=1
    )
    found = maps_json(quiet, SPECIFIC, detector={}, source="drawn")
    assert found["over"] == "all"
    assert found["samples"]["flagged"] == 0
    assert found["methods"]["random"]["n"] == 3


def test_the_map_in_use_is_the_default_beside_what_the_rule_picks(table):
    found = maps_json(table, SPECIFIC, detector={}, source="drawn", default="gradient-attention")
    assert found["default"] == "gradient-attention"
    assert found["picked"] in SPECIFIC
    unknown = maps_json(table, SPECIFIC, detector={}, source="drawn", default="not-measured")
    assert unknown["default"] == unknown["picked"]


def test_a_method_that_cannot_read_the_detector_is_left_out_with_its_reason():
    class ScoreOnly:
        name = "score-only"
        logits = PlantedCueDetector().logits

    fit, unfit = able(ScoreOnly(), [PatchLens(), Occlusion(), RandomMap()], FACES[0].crop)
    assert [method.name for method in fit] == ["occlusion", "random"]
    assert "patch-lens" in unfit["patch-lens"]


def test_rounds_make_other_samples_but_untouched_ones_once():
    samples = sample_rounds(FACES[:2], 3)
    kinds = [s.kind for s in samples]
    assert kinds.count("mouth") == 6
    assert kinds.count("untouched") == 2
    blends = [s.crop for s in samples if s.kind == "self-blend" and s.name == FACES[0].name]
    assert not (blends[0] == blends[1]).all()


def test_words_and_pictures(table, result):
    text = maps_markdown(result)
    assert f"**{result['default']}**" in text
    assert "insertion auc" in text
    assert "entropy untouched" in text
    assert "| first region | at least 0.65 |" in text
    page = maps_page(table, result)
    assert page.count("<h2>") == 2
    assert "known mask" in page
    assert 'alt="patch-lens, points into the mask"' in page
    assert "no mask to point to" in page


@pytest.mark.parametrize("what", ["samples", "random"])
def test_a_table_without_samples_or_control_is_refused(what):
    samples = [] if what == "samples" else list(known_masks(FACES, kinds=("nose",)))
    with pytest.raises(TrainingError):
        evaluate_maps(PlantedCueDetector(), FlatCalibrator(), samples, [PatchLens()])


def test_packages_ship_portraits():
    pictures = shipped_pictures()
    assert any("astronaut" in name for name, _ in pictures)
    assert all(p.dtype == np.uint8 and p.shape[2] == 3 for _, p in pictures)


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    for name in ("a", "b", "c"):
        Image.fromarray(FACES[0].crop).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def test_manifests(folder):
    (folder / "m.csv").write_text(
        "path,label\na.png,0\nb.png,1\nbroken.png,0\nnone.png,0\nc.png,0\n"
    )
    assert [n for n, _ in manifest_pictures(folder / "m.csv")] == ["a.png", "c.png"]
    assert len(manifest_pictures(folder / "m.csv", limit=1)) == 1
    (folder / "m.txt").write_text("# faces\na.png\n\nb.png\n")
    assert [n for n, _ in manifest_pictures(folder / "m.txt")] == ["a.png", "b.png"]


@pytest.mark.parametrize("content", [b"", b"path,label\nb.png,1\n", b"\xff\xfe\x00", b"gone.png\n"])
def test_a_manifest_without_pictures_is_a_typed_error(folder, content):
    path = folder / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        manifest_pictures(path)
    assert caught.value.code == "manifest"
    with pytest.raises(TrainingError):
        manifest_pictures(folder / "absent.csv")
