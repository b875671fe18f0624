from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.attribution.regions import (
    BASELINE_QUANTILES,
    BASELINE_SCHEMA,
    LEAST_AREA,
    baseline_from,
    find_regions,
    load_baseline,
    region_masks,
)
from assistant.errors import InferenceError, WeightsError
from assistant.faces.alignment import template_points
from assistant.resources import resource_dir
from assistant.types import REGIONS, CropSpec

SIZE = 224
TIGHT = template_points(CropSpec(size=SIZE, scale=0.95, shift_y=-0.13))
WIDE = template_points(CropSpec(size=SIZE, scale=1.3))


@settings(deadline=None)
@given(st.floats(-60, 60), st.floats(0.3, 2.5), st.floats(-150, 150), st.floats(-150, 150))
def test_regions_are_disjoint_and_cover_every_crop(degrees, scale, dx, dy):
    turn = np.deg2rad(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (TIGHT - 112) @ matrix.T + 112 + [dx, dy]
    masks = region_masks(points, SIZE)
    assert tuple(masks) == REGIONS
    np.testing.assert_array_equal(sum(m.astype(int) for m in masks.values()), 1)


@pytest.mark.parametrize("points", [TIGHT, WIDE], ids=["tight", "wide"])
def test_points_lie_in_the_regions_named_after_them(points):
    masks = region_masks(points, SIZE)
    for index, name in ((0, "left eye"), (1, "right eye"), (2, "nose"), (3, "mouth"), (4, "mouth")):
        x, y = points[index].round().astype(int)
        assert masks[name][y, x], name
    chin = points[3:].mean(0) + np.array([0, 0.35 * (points[3, 1] - points[0, 1])])
    assert masks["jaw"][int(chin[1]), int(chin[0])]
    brow = points[:2].mean(0) - [0, 0.5 * (points[3, 1] - points[0, 1])]
    assert masks["forehead"][int(brow[1]), int(brow[0])]
    assert masks["background"][2, 2]


def test_sides_are_the_viewers():
    masks = region_masks(TIGHT, SIZE)
    for part in ("eye", "cheek"):
        left, right = (np.nonzero(masks[f"{side} {part}"])[1].mean() for side in ("left", "right"))
        assert left < SIZE / 2 < right


def test_an_upright_face_is_symmetric():
    masks = region_masks(TIGHT, SIZE)
    assert masks["left eye"].mean() == pytest.approx(masks["right eye"].mean(), rel=0.05)
    assert (masks["left cheek"][:, ::-1] & masks["right cheek"]).mean() > 0.06


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((5, 2)),
        np.full((5, 2), np.nan),
        np.zeros((4, 2)),
        TIGHT[[1, 0, 2, 4, 3]],  # mirrored order: eyes swapped
        TIGHT[[3, 4, 2, 3, 4]],  # eyes on the mouth
    ],
    ids=["coincide", "nan", "four", "swapped", "eyes-on-mouth"],
)
def test_points_that_span_no_face_are_a_typed_error(points):
    with pytest.raises(InferenceError) as caught:
        region_masks(points, SIZE)
    assert caught.value.code == "no-face-parts"


def test_a_face_outside_its_crop_is_told_not_guessed():
    away = TIGHT + np.array([400, 0])
    heat = np.ones((SIZE, SIZE), np.float32)
    for finding in find_regions(heat, away):
        if finding.region != "background":
            assert (finding.area, finding.share, finding.lift) == (0.0, 0.0, 0.0)
            assert not finding.stands_out


def test_a_face_at_the_border_keeps_what_is_in_view():
    half = TIGHT - [112, 0]
    area = {f.region: f.area for f in find_regions(np.ones((SIZE, SIZE), np.float32), half)}
    assert area["right eye"] > LEAST_AREA
    assert max(area["left eye"], area["left cheek"]) < LEAST_AREA


def test_shares_lift_and_standing_out():
    heat = np.zeros((SIZE, SIZE), np.float32)
    heat[region_masks(TIGHT, SIZE)["mouth"]] = 1.0
    findings = {f.region: f for f in find_regions(heat, TIGHT)}
    assert findings["mouth"].share == pytest.approx(1.0)
    assert findings["mouth"].lift == pytest.approx(1 / findings["mouth"].area)
    assert [f.region for f in findings.values() if f.stands_out] == ["mouth"]


def test_an_even_map_names_no_region():
    findings = find_regions(np.ones((SIZE, SIZE), np.float32), TIGHT)
    assert sum(f.share for f in findings) == pytest.approx(1.0)
    assert all(f.lift == pytest.approx(1.0) for f in findings)
    assert not any(f.stands_out for f in findings)


def test_a_map_of_zero_names_no_region():
    findings = find_regions(np.zeros((SIZE, SIZE), np.float32), TIGHT)
    assert not any(f.stands_out or f.share for f in findings)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_map_that_is_none(bad):
    heat = np.ones((SIZE, SIZE))
    heat[0, 0] = bad
    with pytest.raises(InferenceError) as caught:
        find_regions(heat, TIGHT)
    assert caught.value.code == "map-not-finite"


def test_the_baseline_silences_what_untouched_faces_show_too():
    rng = np.random.default_rng(0)
    mouth = region_masks(TIGHT, SIZE)["mouth"]

    def faces(strength):
        heat = rng.random((SIZE, SIZE))
        heat[mouth] += strength
        return heat

    untouched = [find_regions(faces(rng.random()), TIGHT) for _ in range(40)]
    _, baseline = baseline_from(untouched)
    usual = {f.region: f for f in find_regions(faces(0.5), TIGHT, baseline)}
    strong = {f.region: f for f in find_regions(faces(5.0), TIGHT, baseline)}
    assert not usual["mouth"].stands_out
    assert strong["mouth"].stands_out
    assert {f.region for f in strong.values() if f.stands_out} == {"mouth"}


def test_in_nine_of_ten_untouched_faces_no_region_stands_out():
    """Above its own quantile alone, some region would stand out in more than half of them."""
    rng = np.random.default_rng(1)

    def untouched(count):
        return [rng.random((8, 8)).repeat(SIZE // 8, 0).repeat(SIZE // 8, 1) for _ in range(count)]

    quantiles, limits = baseline_from([find_regions(heat, TIGHT) for heat in untouched(150)])
    own = {name: levels[BASELINE_QUANTILES.index(0.9)] for name, levels in quantiles.items()}
    fresh = untouched(100)

    def named(baseline):
        found = [find_regions(heat, TIGHT, baseline) for heat in fresh]
        return sum(any(f.stands_out for f in face) for face in found) / len(found)

    assert named(limits) < 0.25
    assert named(own) > 2 * named(limits)


def test_a_baseline_of_nothing():
    with pytest.raises(ValueError, match="at least one face"):
        baseline_from([])


def baseline_file(tmp_path, **changes):
    data = {
        "schema": BASELINE_SCHEMA,
        "attributor": "patch-lens",
        "weights_sha256": "a" * 64,
        "quantiles": list(BASELINE_QUANTILES),
        "regions": {name: [0.1] * len(BASELINE_QUANTILES) for name in REGIONS},
        "limits": dict.fromkeys(REGIONS, 0.2),
    } | changes
    path = tmp_path / "region-baseline.json"
    path.write_text(json.dumps(data))
    return path


def test_a_baseline_is_read_back(tmp_path):
    made_of = {"attributor": "patch-lens", "weights_sha256": "a" * 64}
    read = load_baseline(baseline_file(tmp_path), **made_of).limits
    assert set(read) == set(REGIONS)
    assert read["mouth"] == 0.2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schema": "other/1"}, "not of the form"),
        ({"schema": "whyfake.region-baseline/1"}, "not of the form"),
        ({"limits": {"mouth": 0.1}}, "lacks regions"),
        ({"limits": dict.fromkeys(REGIONS, 0.0)}, "lacks regions"),
        ({"limits": dict.fromkeys(REGIONS, float("nan"))}, "lacks regions"),
        ({"limits": 3}, "cannot be read"),
        ({"attributor": "legrad"}, "of attributor 'legrad'"),
        ({"weights_sha256": "b" * 64}, "of weights_sha256"),
    ],
)
def test_a_foreign_baseline_is_a_typed_error(tmp_path, changes, expected):
    with pytest.raises(WeightsError, match=expected) as caught:
        load_baseline(
            baseline_file(tmp_path, **changes), attributor="patch-lens", weights_sha256="a" * 64
        )
    assert "region-baseline" in caught.value.hint


def test_a_missing_or_broken_baseline_file(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        load_baseline(tmp_path / "none.json")
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_baseline(path)


def test_the_share_of_the_score_is_read_where_it_was_measured(tmp_path):
    shipped = json.loads((resource_dir("weights") / "region-baseline.json").read_text())
    made_of = {key: shipped[key] for key in ("attributor", "weights_sha256")}
    path = tmp_path / "baseline.json"
    for share, wanted in ((0.24, 0.24), (None, None)):
        path.write_text(json.dumps(shipped | {"map_share": share}))
        assert load_baseline(path, **made_of).map_share == wanted
    for share in (0, 1.5, "much"):
        path.write_text(json.dumps(shipped | {"map_share": share}))
        with pytest.raises(WeightsError, match="region baseline"):
            load_baseline(path, **made_of)
