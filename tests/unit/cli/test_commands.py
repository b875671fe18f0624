from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from assistant.cli import doctor as doctor_module
from assistant.cli.main import COMMANDS, EVAL_COMMANDS, TRAIN_COMMANDS, main
from assistant.errors import MediaError
from assistant.resources import resource_dir
from tests.unit.weights.conftest import CONTENT, wheel_entry

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of one file, a data folder where it lies; returns that file."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    entries = [wheel_entry(), wheel_entry(name="large", profile="full")]
    (shipped / "manifest.json").write_text(json.dumps({"version": 1, "entries": entries}))
    monkeypatch.setenv("ASSISTANT_WEIGHTS_DIR", str(shipped))
    monkeypatch.setenv("ASSISTANT_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "data/weights/tiny/tiny.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


def test_help_names_every_command(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.output] == []


ALL = [
    *((name,) for name in COMMANDS),
    *(("train", name) for name in TRAIN_COMMANDS),
    *(("eval", name) for name in EVAL_COMMANDS),
]


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_in_a_table_exists_and_explains_itself(
    run: Run, names: tuple[str, ...]
) -> None:
    result = run(*names, "--help")
    assert result.exit_code == 0, result.output
    assert len(result.output.split("\n\n")[1].strip()) > 10


@pytest.mark.parametrize(
    "args", [("no-such-command",), ("--set", "a", "config", "show"), ("weights", "fetch", "--x")]
)
def test_wrong_usage_ends_with_2(run: Run, args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2


def test_a_typed_error_is_two_plain_lines_and_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise MediaError("This is no picture.", hint="Give a PNG or JPEG.")

    monkeypatch.setattr("assistant.cli.doctor.doctor", failing)
    result = run("doctor")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: This is no picture.\nGive a PNG or JPEG.\n"


def test_config_show_tells_each_value_and_origin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_THREADS", "3")
    result = run("--set", "vlm.model=a/b", "config", "show", "--json")
    shown = json.loads(result.stdout)
    assert shown["threads"]["value"] == 3
    assert shown["threads"]["origin"] == "environment ASSISTANT_THREADS"
    assert (shown["vlm.model"]["value"], shown["vlm.model"]["origin"]) == ("a/b", "flag")
    plain = run("config", "show", "--meaning").stdout
    assert "CPU threads" in plain
    assert "Settings file: none" in plain


def test_a_wrong_setting_stops_every_command(run: Run) -> None:
    result = run("--set", "vlm.modell=x", "config", "show")
    assert result.exit_code == 1
    assert "did you mean vlm.model?" in result.stderr


def test_weights_list_tells_there_from_missing(run: Run, tiny: Path) -> None:
    rows = {row["name"]: row for row in json.loads(run("weights", "list", "--json").stdout)}
    assert rows["tiny"]["status"] == "ok"
    assert rows["tiny"]["path"] == str(tiny)
    assert rows["large"]["status"] == "missing"
    plain = run("weights", "list", "--profile", "embedded").stdout
    assert "large" not in plain
    assert str(tiny.parents[2]) in plain


def test_weights_verify_hashes_again_and_fails_on_changed_bytes(run: Run, tiny: Path) -> None:
    assert run("weights", "verify").exit_code == 0
    content = bytearray(CONTENT)
    content[3] ^= 1
    stat = tiny.stat()
    tiny.write_bytes(content)

    # The same size and time stamp: only hashing again can tell.
    os.utime(tiny, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    result = run("weights", "verify")
    assert result.exit_code == 1
    assert "changed" in result.stdout
    assert "whyfake weights fetch tiny" in result.stderr


def test_weights_fetch_says_what_it_did(run: Run, tiny: Path) -> None:
    assert "kept" in run("weights", "fetch").stdout
    assert run("weights", "fetch", "--quiet").output == ""
    result = run("weights", "fetch", "nothing")
    assert (result.exit_code, "there are large, tiny" in result.stderr) == (1, True)


def test_weights_pin_writes_hash_and_size_of_files_trained_here(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    trained = wheel_entry(source={"kind": "repo", "path": "tiny.bin"}, sha256="0" * 64, size=1)
    path = shipped / "manifest.json"
    path.write_text(json.dumps({"version": 1, "entries": [trained, wheel_entry(name="other")]}))
    monkeypatch.setenv("ASSISTANT_WEIGHTS_DIR", str(shipped))
    assert run("weights", "pin").exit_code == 1, "the file is not there yet"
    (shipped / "tiny.bin").write_bytes(CONTENT)
    assert run("weights", "pin").stdout.startswith("pinned")
    assert json.loads(path.read_text())["entries"][0]["size"] == len(CONTENT)
    assert run("weights", "pin").stdout.startswith("unchanged")
    rows = {
        row["name"]: row["status"] for row in json.loads(run("weights", "list", "--json").stdout)
    }
    assert rows["tiny"] == "ok"


def test_weights_convert_refuses_what_is_no_checkpoint_and_leaves_nothing(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not a checkpoint")
    result = run("weights", "convert", "model.safetensors", "delta.safetensors")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_plugins_list_marks_what_is_chosen(run: Run) -> None:
    rows = json.loads(run("--set", "vlm_backend=template", "plugins", "list", "--json").stdout)
    chosen = {row["name"] for row in rows if row["chosen"]}
    assert {"clip-ln", "centerface", "template"} <= chosen
    plain = run("plugins", "list", "detectors").stdout
    assert " * clip-ln" in plain
    assert "centerface" not in plain


def test_prompts_are_listed_shown_rendered_and_checked(run: Run) -> None:
    rows = json.loads(run("prompts", "list", "--json").stdout)
    assert {"explain", "answer"} <= {row["name"] for row in rows}
    assert "explain/v2" in run("prompts", "list").stdout
    assert run("prompts", "show", "explain").stdout.startswith("name: explain")
    first = next(row for row in rows if row["name"] == "explain")
    values = [f"{name}=VALUE-OF-{name}" for name in first["inputs"]]
    rendered = json.loads(
        run("prompts", "render", "explain", *values, "--version", "2", "--json").stdout
    )
    assert any("VALUE-OF-facts" in message["content"] for message in rendered["messages"])
    assert "[user]" in run("prompts", "render", "explain", *values, "--version", "2").stdout
    assert run("prompts", "render", "explain", "facts").exit_code == 2
    assert run("prompts", "check").exit_code == 0


def test_prompts_check_fails_on_a_released_file_that_changed(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "prompts"
    shutil.copytree(resource_dir("prompts"), copy)
    file = copy / "explain/v2.yaml"
    file.write_text(file.read_text() + "# a word more\n")
    result = run("--set", f"prompts_dir={copy}", "prompts", "check")
    assert result.exit_code == 1
    assert "explain" in result.stderr


def test_doctor_says_ready_only_when_it_is(run: Run, tiny: Path) -> None:
    result = run("doctor", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ready"]) == (0, True)
    tiny.unlink()
    result = run("doctor")
    assert result.exit_code == 1
    assert "MISSING tiny" in result.stdout
    assert result.stdout.rstrip().endswith("whyfake weights fetch")


def test_doctor_says_what_is_in_use_and_why(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.cli import in_use

    def without_gradio(name: str) -> str:
        if name == "gradio":
            raise in_use.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(in_use, "version", without_gradio)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    checks = json.loads(run("--set", "device=auto", "doctor", "--json").stdout)["checks"]
    told = {c["name"]: (c["found"], c["well"]) for c in checks if c["part"] == "In use"}
    assert told["profile"] == ("embedded (default)", True)
    assert told["detector weights"][0] == "clip-ln-vits14 on dinov2-vits14 (profile embedded)"
    assert told["device"][0] == "auto (flag)"
    assert told["threads"][0] == "1 (OMP_NUM_THREADS)"
    assert told["extra page"] == ("not installed: gradio (for whyfake serve)", False)
    assert told["extra api"][1]
    threads = json.loads(run("--set", "threads=3", "doctor", "--json").stdout)["checks"]
    assert "3 (the setting threads)" in {c["found"] for c in threads}


def test_doctor_asks_for_what_the_choice_needs(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor_module.version

    def without_facexlib(name: str) -> str:
        if name == "facexlib":
            raise doctor_module.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor_module, "version", without_facexlib)
    assert run("doctor").exit_code == 0, "the embedded profile does not use facexlib"
    result = run("--set", "face_finder=retinaface", "doctor")
    assert result.exit_code == 1
    assert "make setup" in result.stdout


def test_doctor_names_a_gpu_that_is_asked_for_and_absent(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "_gpu_memory_gb", lambda: None)
    result = run("--set", "device=cuda", "doctor")
    assert result.exit_code == 1
    assert "there is no CUDA device" in result.stdout


def test_doctor_takes_less_than_two_seconds_of_a_processor(model_files: Path) -> None:
    """Of its time, not of the clock: a busy machine must not fail this."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call = "from assistant.cli.main import main; main(['doctor', '--json'])"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert json.loads(done.stdout)["checks"]
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_doctor_recommends_by_memory(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "_gpu_memory_gb", lambda: 8.0)
    rows = json.loads(run("doctor", "--json").stdout)["recommended"]
    fits = {row["model"]: row["fits"] for row in rows}
    assert fits["llava-hf/llava-1.5-7b-hf"] is True
    assert fits["Qwen/Qwen3-VL-8B-Instruct"] is False


def test_a_missing_extra_is_named_with_what_to_type(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    for name in [n for n in sys.modules if n.startswith("assistant.ui")]:
        monkeypatch.delitem(sys.modules, name)
    got = run("serve", "--demo-fakes")

    assert got.exit_code == 1
    assert "needs gradio, which is not installed" in got.stderr
    assert "pip install 'whyfake[page]'" in got.stderr
