from pathlib import Path

from click.testing import CliRunner

from assistant.cli.main import main
from assistant.evaluation.face_manifest import read_manifest
from assistant.training.splits import hashed_sample, part_of


def test_the_held_out_list_names_the_test_part_alone(project):
    target = project / "lists" / "held-out.csv"
    asked = ["manifest", "held-out", str(project / "c.yaml"), "--most", "20", "--out", str(target)]
    run = CliRunner().invoke(main, asked)
    assert run.exit_code == 0, run.output
    rows = read_manifest(target)  # paths are relative to the list, and all are there
    everything = read_manifest(project / "m.csv")
    test = {row.path.resolve() for row in everything if part_of(row.video, {"test": 15}) == "test"}
    assert 20 < len(rows) <= 40  # 20 of each of two sources at most
    assert len(rows) <= len(test)
    assert {row.path.resolve() for row in rows} <= test
    assert {row.split for row in rows} == {"test"}
    assert all(row.crop for row in rows)
    assert not Path(rows[0].name).is_absolute()


def test_a_sample_does_not_depend_on_the_order_and_a_larger_one_holds_it(project):
    rows = read_manifest(project / "m.csv")
    few, more = hashed_sample(rows, 10)[:10], hashed_sample(rows[::-1], 30)
    assert [row.name for row in more[:10]] == [row.name for row in few]
