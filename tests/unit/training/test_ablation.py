from functools import partial

import yaml

from assistant.calibration.fitting import fit_calibrator
from assistant.training.ablation import ROWS, run_ablation, table
from assistant.training.detector_config import DetectorConfig
from tests.drawn import MiddleFinder


def test_every_row_has_its_terms_and_seeds(project, monkeypatch):
    quick = partial(fit_calibrator, resamples=4)  # its interval is of no interest here
    monkeypatch.setattr("assistant.training.tuning_run.fit_calibrator", quick)
    path = project / "c.yaml"
    values = {
        "recipe": "layer-norms",
        "manifest": "m.csv",
        "crop": {"size": 42},
        "limit": 160,
        "calibration_percent": 40,
        "self_blended": {"drawn": 0.1},
        "tuning": {
            "start": "logistic",
            "lowest_block": 1,
            "keep_tokens": True,
            "augment": False,
            "epochs": 1,
            "batch": 32,
            "warm_up_epochs": 0,
        },
    }
    path.write_text(yaml.safe_dump(values))
    work = project / "work"
    work.mkdir()

    def run():
        return run_ablation(
            DetectorConfig.read(path),
            project / "base.safetensors",
            MiddleFinder(),
            work=work,
            seeds=range(2),
        )

    result = run()
    assert list(result["rows"]) == list(ROWS)
    for row in result["rows"].values():
        assert len(row["all"]["values"]) == 2
        assert row["all"]["mean"] > 0.8  # stripes: the regression alone sees them
    assert len(list(work.glob("layer-norms-*.pt"))) == 2 * len(ROWS)
    assert len(list(work.glob("crops-*/tokens-*.npy"))) == 2  # without and with blends
    lines = table(result).splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert "±" in lines[-1]
    with monkeypatch.context() as patched:  # all was kept
        patched.delattr("assistant.training.ablation.train_layer_norms")
        assert run()["rows"] == result["rows"]
