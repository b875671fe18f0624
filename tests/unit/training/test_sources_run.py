"""The recipe of the embedded detector, from drawn sources to a file that scores."""

import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner
from safetensors.torch import load_file

from assistant.detectors import tower
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import DeltaHeader, write_delta
from assistant.detectors.read_out import ClassTokenReadOut, token_statistics
from assistant.detectors.two_heads import HEADS, HeadNetwork, TwoHeadReadOut
from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.training.augmentation import worn
from assistant.training.direction import fit_direction
from assistant.training.recipe import Recipe
from assistant.training.reconstruction import Build, train_redrawer
from assistant.training.sources import check_sources, choose_rows, source_weights
from assistant.training.sources_run import judge_recipe, train_sources
from assistant.training.two_heads import HeadConfig, new_read_out, with_direction
from assistant.training.views import KINDS, View, ViewMaker, plan_views
from tests.drawn import MiddleFinder


def changed(project, **values):
    path = project / "c.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))
    return Recipe.read(path)


def run(project, recipe):
    return train_sources(
        recipe,
        project / "base.safetensors",
        MiddleFinder(),
        work=project / "work",
        output=project / "out.safetensors",
    )


def test_one_run_makes_a_file_that_scores_and_says_how_it_was_judged(project):
    recipe = Recipe.read(project / "c.yaml")
    report = run(project, recipe)
    table = report["leave_out"]
    assert set(table["manipulated"]) == set(table["genuine"]) == {"drawn", "other"}
    assert table["blends"]["n"] > 0
    assert 0 < table["map_share"] < 1
    assert set(table["families"]) == {"face swaps", "portraits by GANs"}
    assert table["manipulated"]["other"]["auroc"] > 0.7  # stripes are stripes in any source
    detector = ClipLnDetector.load(project / "base.safetensors", project / "out.safetensors")
    real, fake = (cv2.imread(str(project / f"{i}.png"))[14:56, 14:56] for i in (2, 3))
    first = detector.logits([real, fake])
    assert first[1] > first[0]
    assert detector.scores_patches
    joined = [np.logaddexp(*reading.heads) for reading in detector.read([real, fake])]
    assert np.allclose(joined, first, atol=0.1)  # mean of both views, joined before or after
    again = run(project, recipe)  # every step is there already
    assert again["leave_out"] == table
    assert json.loads(json.dumps(report)) == report


def test_the_tower_is_tuned_by_steps_and_goes_on_from_its_checkpoint(project):
    recipe = changed(
        project, tuning={"steps": 4, "batch": 8, "lowest_block": 1, "checkpoint_steps": 2}
    )
    base, work = project / "base.safetensors", project / "work"
    table = judge_recipe(recipe, base, MiddleFinder(), work=work)
    assert torch.load(work / "tower.pt", weights_only=True)["batch"] == 4
    assert table["mean_auroc"] > 0
    with pytest.raises(TrainingError, match="belongs to another configuration"):
        judge_recipe(
            recipe.model_copy(
                update={"tuning": recipe.tuning.model_copy(update={"low_rank_rate": 0.1})}
            ),
            base,
            MiddleFinder(),
            work=work,
        )


def test_either_yes_is_enough_and_the_patches_count_for_both():
    torch.manual_seed(0)
    tokens = [torch.randn(3, 10, 6) for _ in range(2)]
    read_out = TwoHeadReadOut(
        blocks=[0, 1], width=6, hidden=5, evidence_hidden=[4, 3], grid=3, shares=[0.6, 0.3]
    ).eval()
    heads = read_out.head_logits(tokens)
    assert heads.shape == (3, len(HEADS))
    assert torch.allclose(read_out(tokens), heads.logsumexp(1))
    statistics = torch.stack([token_statistics(t) for t in tokens], dim=1)
    share = torch.tensor([0.6, 0.3])
    without = heads - share * read_out.network.from_statistics(statistics)
    assert torch.allclose(without, (1 - share) * read_out.evidence(tokens), atol=1e-5)
    assert read_out.patch_logits(tokens).shape == (3, 9)


def test_a_part_of_one_source_weighs_as_much_as_its_size_up_to_two_hundred(project):
    rows = read_manifest(project / "m.csv")
    weights = source_weights(rows)
    labels = np.array([r.label for r in rows])
    assert weights[labels == 1].sum() == pytest.approx(weights[labels == 0].sum())
    assert weights.mean() == pytest.approx(1.0)


def test_test_parts_of_home_sources_are_never_chosen(project):
    rows = read_manifest(project / "m.csv")
    chosen = choose_rows(rows, most=1000, home=("drawn",), test_percent=30)
    assert {r.source for r in chosen} == {"drawn", "other"}
    assert sum(r.source == "other" for r in chosen) == sum(r.source == "other" for r in rows)
    assert sum(r.source == "drawn" for r in chosen) < sum(r.source == "drawn" for r in rows)
    few = choose_rows(rows, most=5, home=(), test_percent=30)
    assert len(few) == 20


@pytest.mark.parametrize(
    ("keep", "code"),
    [
        (lambda r: r.label == 1, "one-class"),
        (lambda r: r.label == 1 or r.source == "drawn", "one-source"),
        (lambda r: r.label == 0 or r.source == "drawn", "one-family"),
    ],
)
def test_lists_that_cannot_teach_are_named_before_training(project, keep, code):
    rows = [r for r in read_manifest(project / "m.csv") if keep(r)]
    with pytest.raises(TrainingError) as caught:
        check_sources(rows)
    assert caught.value.code == code


def test_the_same_pictures_under_two_names_are_found(project):
    rows = read_manifest(project / "m.csv")
    twin = dataclasses.replace(next(r for r in rows if not r.label), source="twin")
    with pytest.raises(TrainingError, match="twin") as caught:
        check_sources([*rows, twin])
    assert caught.value.code == "same-source"


def test_a_source_of_five_pictures_is_told(project, caplog):
    rows = read_manifest(project / "m.csv")
    few = [r for r in rows if r.source == "drawn"] + [r for r in rows if r.source == "other"][:5]
    check_sources(few)
    assert "other has 5 pictures" in caplog.text


def test_a_redrawer_that_diverges_is_named():
    faces = [np.full((32, 32, 3), value, np.uint8) for value in (0, 255)]
    build = Build(up="nearest", halvings=1, width=2, latent=1, side=32)
    with pytest.raises(TrainingError, match="diverged") as caught:
        train_redrawer(build, faces, seed=0, steps=1)
    assert caught.value.code == "redrawer-diverged"


@pytest.mark.parametrize("up", ["transposed", "nearest", "bilinear", "shuffle"])
def test_a_redrawer_learns_its_faces_and_draws_them_in_their_own_size(up, tmp_path):
    rng = np.random.default_rng(0)
    faces = [
        rng.integers(60, 190, (4, 4, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
        for _ in range(4)
    ]
    build = Build(up=up, halvings=1, width=8, latent=6, side=32)
    path = tmp_path / "r.safetensors"
    made = train_redrawer(build, faces, seed=0, steps=120, path=path)
    large = cv2.resize(faces[0], (48, 48))
    drawn = made.redraw(large)
    assert drawn.shape == large.shape
    assert 0 < np.abs(drawn.astype(int) - large).mean() < 25
    assert (train_redrawer(build, [], seed=1, path=path).redraw(large) == drawn).all()


@pytest.fixture
def maker():
    rng = np.random.default_rng(0)
    crops = [
        rng.integers(40, 210, (7, 7, 3)).astype(np.uint8).repeat(32, 0).repeat(32, 1)
        for _ in range(3)
    ]
    points = np.array([[88, 96], [136, 96], [112, 120], [94, 150], [130, 150]], np.float64)
    return ViewMaker(
        lambda row: crops[row], lambda row: points, lambda row: [1, 2], [], side=168, seed=0
    )


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "redrawn"])
def test_a_view_is_fixed_by_its_row_kind_and_number(maker, kind):
    first, mask = maker.make(View(row=0, kind=kind))
    again, _ = maker.make(View(row=0, kind=kind))
    assert (first == again).all()
    assert first.shape == (168, 168, 3)
    assert mask.shape == (168, 168)
    assert mask.any() == (kind in ("laid-in", "spared"))
    if kind != "plain":
        other, _ = maker.make(View(row=0, kind=kind, number=1))
        assert (first != other).any()


def test_views_are_planned_by_counts_and_shares():
    labels = [0] * 200 + [1] * 50
    views = plan_views(
        labels, [True] * 250, [True] * 200 + [False] * 50, {"plain": 1, "mended": 1.5}
    )
    plain = [v for v in views if v.kind == "plain"]
    mended = [v for v in views if v.kind == "mended"]
    assert len(plain) == 250
    assert 270 < len(mended) < 330
    assert all(not labels[v.row] for v in mended)


def test_every_codec_gives_a_picture_of_the_same_size_back():
    crop = np.random.default_rng(1).integers(0, 255, (65, 63, 3)).astype(np.uint8)
    mask = np.zeros(crop.shape[:2], np.float32)
    mask[20:40] = 1
    seen = [worn(crop, mask, np.random.default_rng(seed)) for seed in range(40)]
    assert all(out.shape == crop.shape and out.dtype == np.uint8 for out, _ in seen)
    assert len({out.tobytes() for out, _ in seen}) == 40
    assert all(moved.shape == mask.shape and moved.any() for _, moved in seen)
    assert any((moved != mask).any() for _, moved in seen)


def test_leaving_everything_out_of_one_class_is_refused():
    config = HeadConfig(blocks=(0,), hidden=2, evidence_hidden=(2, 2))
    start = new_read_out(config, width=2, grid=3, seed=0)
    statistics = np.zeros((4, 1, 3, 2), np.float16)
    genuine, sources = np.zeros(4, bool), np.array(["a", "a", "b", "b"])
    with pytest.raises(TrainingError, match="one class"):
        with_direction(start, statistics, genuine, sources, np.arange(4), config)


def test_statistics_that_are_no_numbers_are_refused():
    values = np.full((4, 3), np.nan, np.float32)
    with pytest.raises(TrainingError, match="not finite"):
        fit_direction(values, np.arange(4) > 1, np.array(["a"] * 4), between=30, ridge=0.1)


def test_the_direction_avoids_what_sources_differ_in():
    """Two dimensions tell fakes; along the first genuine sources differ too."""
    rng = np.random.default_rng(0)
    sources = np.repeat(["a", "b", "c", "fakes"], 200)
    listed = sources == "fakes"
    values = rng.normal(size=(800, 2)).astype(np.float32)
    values[:, 0] += np.repeat([-4.0, 0.0, 4.0, 5.0], 200)
    values[listed, 1] += 1.0
    direction, middle = fit_direction(values, listed, sources, between=30, ridge=0.1)
    assert abs(direction[0]) < 0.1 * direction[1]
    along = values @ direction - middle
    assert along[~listed].mean() == pytest.approx(0, abs=1e-3)
    assert along[~listed].std() == pytest.approx(1, abs=1e-3)


def test_the_network_follows_the_direction_exactly():
    network = HeadNetwork((0, 1), width=4, hidden=3).eval()
    statistics = torch.randn(5, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    direction = torch.linspace(-1, 1, 24)
    wider = network.also_along(direction, 0.7, head=1, weight=0.8).eval()
    along = network.standardised(statistics) @ direction - 0.7
    added = wider.from_statistics(statistics) - network.from_statistics(statistics)
    assert added[:, 0].abs().max() < 1e-6
    assert torch.allclose(added[:, 1], 0.8 * along, atol=1e-5)


def test_a_read_out_of_another_kind_is_no_start(project):
    recipe = changed(project, start="other.safetensors")
    state = load_file(project / "base.safetensors")
    other = ClassTokenReadOut(width=24, last_block=2)
    header = DeltaHeader(
        tower=tower.TOWERS["vit-s14"],
        base_sha256=tower.tower_sha256(state),
        read_out=other.options(),
        crop=recipe.crop.spec,
    )
    write_delta(project / "other.safetensors", header, norms={}, read_out=other.state_dict())
    with pytest.raises(ConfigError, match="another kind"):
        run(project, recipe)


def test_a_run_goes_on_from_a_detector_that_it_made(project):
    run(project, Recipe.read(project / "c.yaml"))
    (project / "out.safetensors").rename(project / "start.safetensors")
    report = run(project, changed(project, start="start.safetensors"))
    assert report["views"] > 0
    detector = ClipLnDetector.load(project / "base.safetensors", project / "out.safetensors")
    assert np.isfinite(detector.logits([np.zeros((42, 42, 3), np.uint8)])).all()


def test_a_fold_of_an_unknown_source_is_named(project):
    recipe = changed(project, folds={"one": ["nowhere"]})
    with pytest.raises(ConfigError, match="nowhere"):
        run(project, recipe)


def test_wrong_fields_are_named_all_at_once(project):
    with pytest.raises(ConfigError, match=r"most.*epoch"):
        changed(project, most=1, heads={"epoch": 3})


def test_the_command_prints_the_leave_out_table(project, monkeypatch):
    import assistant.compose
    import assistant.weights
    from assistant.cli.main import main

    monkeypatch.setattr(assistant.weights, "locate", lambda *a, **k: project / "base.safetensors")
    monkeypatch.setattr(assistant.compose, "build_finder", lambda s: MiddleFinder())
    done = CliRunner().invoke(
        main, ["eval", "leave-out", str(project / "c.yaml"), "--work", str(project / "work")]
    )
    assert done.exit_code == 0, done.output
    assert "| other |" in done.output
    assert "Mean AUROC" in done.output
