import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assistant.attribution.patches import PatchLens
from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import DeltaHeader, read_delta, write_delta
from assistant.detectors.read_out import (
    ClassTokenReadOut,
    PatchEvidenceReadOut,
    build_read_out,
)
from assistant.detectors.tower import (
    TOWERS,
    TowerLayout,
    build_tower,
    embed,
    layer_norms,
    run_blocks,
    tower_sha256,
)
from assistant.errors import InferenceError, WeightsError
from assistant.interfaces import TraceableDetector
from assistant.types import CropSpec

TINY = TowerLayout(image_size=42, patch_size=14, width=24, layers=4, heads=3)
CLIP = TowerLayout(
    image_size=42,
    patch_size=14,
    width=24,
    layers=3,
    heads=3,
    layer_scale=False,
    pre_norm=True,
    quick_gelu=True,
    norm_eps=1e-5,
)


def random_state(layout, seed=0):
    torch.manual_seed(seed)
    tower = build_tower(layout)
    return {k: torch.randn_like(v) * 0.2 for k, v in tower.state_dict().items()}


def read_outs(layout):
    last = layout.layers - 1
    return {
        "class-token": ClassTokenReadOut(width=24, last_block=last),
        "patch-evidence": PatchEvidenceReadOut(blocks=[1], width=24, hidden=8, grid=3),
        "two-heads": build_read_out(
            {
                "kind": "two-heads",
                "blocks": [0, last - 1],
                "width": 24,
                "hidden": 8,
                "evidence_hidden": [8, 8],
                "grid": 3,
                "shares": [0.4, 0.4],
            }
        ),
    }


def saved(folder, layout, kind, *, norms=None, change=None):
    state = random_state(layout)
    save_file(state, folder / "base.safetensors")
    torch.manual_seed(1)
    read_out = read_outs(layout)[kind]
    for parameter in read_out.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    header = DeltaHeader(
        tower=layout,
        base_sha256=tower_sha256(state),
        read_out=read_out.options(),
        crop=CropSpec(size=42, scale=0.95),
    )
    weights = dict(read_out.state_dict())
    if change:
        change(weights)
    write_delta(folder / "delta.safetensors", header, norms=norms or {}, read_out=weights)
    return folder / "base.safetensors", folder / "delta.safetensors"


def crops(n, side=42, seed=0):
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (n, side, side, 3)).astype(np.uint8))


@pytest.fixture(params=["class-token", "patch-evidence", "two-heads"])
def detector(request, tmp_path):
    return ClipLnDetector.load(*saved(tmp_path, TINY, request.param))


def test_contract(detector):
    assert isinstance(detector, TraceableDetector)
    given = crops(5)
    before = [c.copy() for c in given]
    first, again = detector.logits(given), detector.logits(given)
    assert first.shape == (5,)
    assert first.dtype == np.float64
    assert np.ptp(first) > 0
    assert np.abs(first - again).max() <= 1e-6
    assert all((a == b).all() for a, b in zip(given, before, strict=True))
    assert detector.logits([]).shape == (0,)
    assert set(detector.provenance()) >= {"base_sha256", "weights_sha256"}


def test_the_score_does_not_depend_on_the_batch(detector):
    given = crops(64)
    together = detector.logits(given)
    alone = np.concatenate([detector.logits([crop]) for crop in given])
    assert np.abs(together - alone).max() < 1e-4


def test_a_crop_of_another_size_is_resized(detector):
    assert np.isfinite(detector.logits(crops(2, side=60))).all()


def test_trace_without_layers_gives_score_tokens_and_read_out_gradient(detector):
    crop = crops(1)[0]
    trace = detector.trace(crop)
    assert trace.logit == pytest.approx(detector.logits([crop])[0], abs=1e-5)
    assert trace.tokens.shape == trace.token_gradient.shape == (detector.depth, 10, 24)
    assert trace.grid == (3, 3)
    assert trace.attention is None
    assert np.abs(trace.token_gradient).max() > 0
    # the gradient is that of the read-out: a small step along it changes the logit as it says
    read = detector._read_out
    if not read.after_last_norm:
        picked = [torch.tensor(trace.tokens[b : b + 1]) for b in read.blocks]
        step = [1e-3 * torch.tensor(trace.token_gradient[b : b + 1]) for b in read.blocks]
        moved = read([t + s for t, s in zip(picked, step, strict=True)]).item() - trace.logit
        assert moved == pytest.approx(1e-3 * (trace.token_gradient**2).sum(), rel=0.1, abs=1e-6)


def test_a_face_and_its_mirror_image_score_alike_where_the_weights_say_so(tmp_path):
    base, delta = saved(tmp_path, TINY, "two-heads")
    plain = ClipLnDetector.load(base, delta)
    read = read_delta(delta)
    header = dataclasses.replace(read.header, mirror=True)
    write_delta(delta, header, norms=read.norms, read_out=read.read_out)
    detector = ClipLnDetector.load(base, delta)
    crop = crops(1)[0]
    turned = np.ascontiguousarray(crop[:, ::-1])
    views = plain.logits([crop, turned])
    assert views[0] != pytest.approx(views[1], abs=1e-3)
    assert detector.logits([crop, turned]) == pytest.approx([views.mean()] * 2, abs=1e-5)
    trace, other = detector.trace(crop), detector.trace(turned)
    assert trace.logit == pytest.approx(views.mean(), abs=1e-5)
    assert detector.trace(crop, layers=[1]).logit == pytest.approx(views.mean(), abs=1e-5)
    back = other.patch_logits.reshape(3, 3)[:, ::-1]
    assert trace.patch_logits.reshape(3, 3) == pytest.approx(back, abs=1e-5)
    maps = [PatchLens().attribute(detector, c).map for c in (crop, turned)]
    assert maps[0] == pytest.approx(maps[1][:, ::-1], abs=1e-4)  # the lens sees both views
    assert trace.mirror is not None
    assert trace.mirror.tokens == pytest.approx(other.tokens, abs=1e-5)


@pytest.mark.parametrize("layers", [[0], [1], [0, 1]])
def test_trace_with_layers_gives_attention_and_its_true_gradient(tmp_path, layers):
    detector = ClipLnDetector.load(*saved(tmp_path, TINY, "two-heads"))
    crop = crops(1)[0]
    trace = detector.trace(crop, layers=layers)
    assert trace.layers == tuple(layers)
    assert trace.attention.shape == trace.attention_gradient.shape == (len(layers), 3, 10, 10)
    assert np.allclose(trace.attention.sum(-1), 1, atol=1e-5)
    assert trace.logit == pytest.approx(detector.logits([crop])[0], abs=1e-5)
    assert np.abs(trace.attention_gradient).max() > 0
    assert all(not p.requires_grad and p.grad is None for p in detector._tower.parameters())


def test_attention_gradient_against_finite_differences(tmp_path, monkeypatch):
    from assistant.detectors import clip_ln

    detector = ClipLnDetector.load(*saved(tmp_path, TINY, "class-token"))
    crop = crops(1)[0]
    trace = detector.trace(crop, layers=[2])
    real = clip_ln.attention_probabilities
    step = 0.01

    def nudged(block, tokens):
        probabilities, value = real(block, tokens)
        probabilities = probabilities.clone()
        probabilities[0, 1, 0, 4] += step
        return probabilities, value

    monkeypatch.setattr(clip_ln, "attention_probabilities", nudged)
    moved = detector.trace(crop, layers=[2]).logit - trace.logit
    assert moved == pytest.approx(step * trace.attention_gradient[0, 1, 0, 4], rel=0.05, abs=1e-5)


@pytest.mark.parametrize("layers", [[], [-1], [99]])
def test_layers_that_are_not_run_are_refused(detector, layers):
    with pytest.raises(InferenceError, match="blocks 0 to"):
        detector.trace(crops(1)[0], layers=layers)


@pytest.mark.parametrize("layout", [TINY, CLIP])
def test_the_tower_agrees_with_open_clips_own(layout):
    from functools import partial

    from open_clip import transformer

    theirs = transformer.VisionTransformer(
        image_size=layout.image_size,
        patch_size=layout.patch_size,
        width=layout.width,
        layers=layout.layers,
        heads=layout.heads,
        mlp_ratio=layout.mlp_ratio,
        ls_init_value=1e-5 if layout.layer_scale else None,
        no_ln_pre=not layout.pre_norm,
        pool_type="tok",
        act_layer=transformer.QuickGELU if layout.quick_gelu else torch.nn.GELU,
        norm_layer=partial(transformer.LayerNorm, eps=layout.norm_eps),
    )
    theirs.proj = None
    tower = build_tower(layout)
    for each in (tower, theirs):
        each.load_state_dict(random_state(layout), strict=True)
        each.eval()
    pictures = torch.randn(2, 3, layout.image_size, layout.image_size)
    with torch.no_grad():
        tokens = run_blocks(tower, embed(tower, pictures), range(layout.layers))[-1]
        assert torch.allclose(tower.ln_post(tokens)[:, 0], theirs(pictures), atol=1e-4)


def test_tuned_layer_norms_change_the_score(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = ClipLnDetector.load(*saved(tmp_path / "a", TINY, "class-token"))
    name = "transformer.resblocks.1.ln_2.weight"
    norms = {name: random_state(TINY)[name] + 0.5}
    tuned = ClipLnDetector.load(*saved(tmp_path / "b", TINY, "class-token", norms=norms))
    assert abs(plain.logits(crops(1)) - tuned.logits(crops(1))).item() > 1e-6


def test_the_published_recipe_tunes_104450_of_304_million():
    layout = TOWERS["vit-l14"]
    with torch.device("meta"):
        tower = build_tower(layout)
        head = ClassTokenReadOut(width=1024, last_block=23)
    norms = sum(t.numel() for t in layer_norms(tower).values())
    tuned = norms + sum(p.numel() for p in head.parameters())
    assert norms == 102_400
    assert tuned == 104_450
    unused_projection = 1024 * 768  # counted in the paper, not built here
    whole = sum(p.numel() for p in tower.parameters()) + 2_050 + unused_projection
    assert whole == 303_968_258


def test_a_delta_for_another_base_is_refused_by_hash(tmp_path):
    base, delta = saved(tmp_path, TINY, "two-heads")
    save_file(random_state(TINY, seed=9), base)
    with pytest.raises(WeightsError, match="trained on the base") as caught:
        ClipLnDetector.load(base, delta)
    assert caught.value.code == "weights-other-base"


def test_the_hash_leaves_out_only_the_interpolated_positions():
    state = random_state(TINY)
    moved = {**state, "positional_embedding": state["positional_embedding"] + 1e-7}
    assert tower_sha256(moved) == tower_sha256(state)
    for name in ("class_embedding", "ln_post.bias"):
        other = {**state, name: state[name] + 1}
        assert tower_sha256(other) != tower_sha256(state)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("network.mean"),
        lambda w: w.update(extra=torch.zeros(2)),
        lambda w: w.update({"network.mean": torch.zeros(3)}),
    ],
)
def test_loading_is_strict(tmp_path, change):
    with pytest.raises(WeightsError):
        ClipLnDetector.load(*saved(tmp_path, TINY, "two-heads", change=change))


def test_a_norm_that_the_tower_lacks_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no LayerNorm"):
        ClipLnDetector.load(
            *saved(tmp_path, TINY, "two-heads", norms={"conv1.weight": torch.zeros(1)})
        )


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", None])
def test_damaged_or_missing_files_are_typed_errors(tmp_path, content):
    base, delta = saved(tmp_path, TINY, "two-heads")
    for victim in (base, delta):
        whole = victim.read_bytes()
        if content is None:
            victim.unlink()
        else:
            victim.write_bytes(content)
        with pytest.raises(WeightsError):
            ClipLnDetector.load(base, delta)
        victim.write_bytes(whole)


def test_a_file_without_our_metadata_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="not a detector delta"):
        read_delta(path)
    save_file({"a": torch.zeros(2)}, path, metadata={"whyfake": json.dumps({"format": "other"})})
    with pytest.raises(WeightsError):
        read_delta(path)


def test_a_score_that_is_no_number_is_an_error(tmp_path):
    def poison(weights):
        weights["network.layers.4.bias"] = torch.full((2,), float("nan"))

    detector = ClipLnDetector.load(*saved(tmp_path, TINY, "two-heads", change=poison))
    with pytest.raises(InferenceError, match="no number"):
        detector.logits(crops(2))
    with pytest.raises(InferenceError):
        detector.trace(crops(1)[0])


def test_half_precision_storage_stays_close(tmp_path):
    base, delta = saved(tmp_path, TINY, "two-heads")
    exact = ClipLnDetector.load(base, delta)
    read = read_delta(delta)
    small = tmp_path / "half.safetensors"
    write_delta(small, read.header, norms=read.norms, read_out=read.read_out, small=True)
    assert small.stat().st_size < delta.stat().st_size
    given = crops(6)
    scores = exact.logits(given)
    assert np.abs(ClipLnDetector.load(base, small).logits(given) - scores).max() < 0.02


def test_large_matrices_are_kept_in_steps_and_reading_and_writing_changes_no_more(tmp_path):
    _, delta = saved(tmp_path, TINY, "two-heads")
    read = read_delta(delta)
    rng = np.random.default_rng(0)
    large = torch.from_numpy(rng.normal(size=(4, 8192)).astype(np.float32))
    large[2] = 0.0
    read_out = {"a.weight": large, "a.bias": torch.ones(3)}
    given = {"read_out": read_out, "low_rank": {"b.up": large}}
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    write_delta(once, read.header, norms={}, small=True, **given)
    stored = load_file(once)
    assert stored["read_out.a.weight"].dtype == torch.int8
    assert stored["low_rank.b.up"].dtype == torch.float16
    kept = read_delta(once)
    off = (kept.read_out["a.weight"] - large).abs().amax(dim=1)
    assert (off <= large.abs().amax(dim=1) / 127 * 0.501).all()
    assert set(kept.read_out) == {"a.weight", "a.bias"}
    again = {"read_out": kept.read_out, "low_rank": kept.low_rank}
    write_delta(twice, kept.header, norms={}, small=True, **again)
    assert twice.read_bytes() == once.read_bytes()


def test_unknown_read_outs_are_refused():
    for options in ({"kind": "magic"}, {"kind": "two-heads"}, {}):
        with pytest.raises(WeightsError, match="two-heads"):
            build_read_out(options)
