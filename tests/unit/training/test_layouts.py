import csv
import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from assistant.cli.main import main
from assistant.errors import TrainingError
from assistant.training.layouts import LAYOUTS, read_layout


def video(folder, count=3):
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:03}.png").touch()


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def told(name, root, **kw):
    return {
        (s.label, s.video, s.family, s.split, len(s.files)) for s in read_layout(name, root, **kw)
    }


def ffpp(root):
    base = root / "FaceForensics++"
    for kind in ("c23", "c40"):
        video(base / f"original_sequences/youtube/{kind}/frames/000")
        video(base / f"manipulated_sequences/Deepfakes/{kind}/frames/000_003", 2)
    video(base / "original_sequences/actors/c23/frames/01__exit_phone_room")
    video(base / "manipulated_sequences/DeepFakeDetection/c23/frames/01_02__exit_phone_room__YVG")
    video(base / "manipulated_sequences/Deepfakes/c23/masks/000_003")
    (base / "test.json").write_text(json.dumps([["000", "003"]]))


def test_faceforensics_pairs_a_fake_with_its_target_and_knows_the_split(tmp_path):
    ffpp(tmp_path)
    assert told("ffpp", tmp_path) == {
        (0, "ffpp-000", "", "test", 3),
        (1, "ffpp-000", "Deepfakes", "test", 2),
    }
    assert len(told("ffpp", tmp_path / "FaceForensics++", compression="c40")) == 2
    assert told("dfd", tmp_path) == {
        (0, "dfd-01__exit_phone_room", "", "", 3),
        (1, "dfd-01__exit_phone_room", "DeepFakeDetection", "", 3),
    }


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_celeb_df(version, tmp_path):
    base = tmp_path / f"Celeb-DF-{version}"
    video(base / "Celeb-real/frames/id0_0000")
    video(base / "YouTube-real/frames/00170")
    video(base / "Celeb-synthesis/frames/id0_id16_0000")
    (base / "List_of_testing_videos.txt").write_text("1 YouTube-real/00170.mp4\n")
    name = f"celeb-df-{version}"
    assert told(name, tmp_path) == {
        (0, f"{name}-id0_0000", "", "train", 3),
        (0, f"{name}-00170", "", "test", 3),
        (1, f"{name}-id0_0000", "face-swap", "train", 3),
    }


def test_dfdc_reads_both_lists_and_pairs_by_the_original(tmp_path):
    base = tmp_path / "DFDC"
    video(base / "test/frames/aaa")
    (base / "test/labels.csv").write_text("filename,label\naaa.mp4,1\nzzz.mp4,0\n")
    part = base / "train/dfdc_train_part_0"
    video(part / "frames/bbb")
    video(part / "frames/ccc")
    known = {"bbb.mp4": {"label": "FAKE", "original": "ccc.mp4"}, "ccc.mp4": {"label": "REAL"}}
    (part / "metadata.json").write_text(json.dumps(known))
    assert told("dfdc", tmp_path) == {
        (1, "dfdc-aaa", "dfdc", "test", 3),
        (1, "dfdc-ccc", "dfdc", "train", 3),
        (0, "dfdc-ccc", "", "train", 3),
    }


def test_ffiw_deepspeak_df40_and_wilddeepfake(tmp_path):
    for kind in ("source", "target"):
        folder = tmp_path / f"ffiw/FFIW10K-v1-release-test/{kind}/test"
        folder.mkdir(parents=True)
        (folder / "val_00000001.mp4").touch()
    assert told("ffiw", tmp_path / "ffiw") == {
        (0, "ffiw-test-val_00000001", "", "test", 1),
        (1, "ffiw-test-val_00000001", "face-swap", "test", 1),
    }
    video(tmp_path / "ds/test/real/one")
    video(tmp_path / "ds/test/fake/wav2lip/two")
    assert told("deepspeak", tmp_path / "ds") == {
        (0, "deepspeak-one", "", "test", 3),
        (1, "deepspeak-two", "wav2lip", "test", 3),
    }
    video(tmp_path / "DF40/blendface/ff/frames/000_003")
    video(tmp_path / "DF40/simswap/cdf/frames/id0_id1_0002")
    assert told("df40", tmp_path) == {
        (1, "ffpp-000", "blendface", "", 3),
        (1, "cdf-id0_id1_0002", "simswap", "", 3),
    }
    video(tmp_path / "wild/real_train/1/real/7")
    video(tmp_path / "wild/fake_test/1/fake/7")
    assert told("wilddeepfake", tmp_path / "wild") == {
        (0, "wild-real-train-1-7", "", "train", 3),
        (1, "wild-fake-test-1-7", "in-the-wild", "test", 3),
    }


def test_the_json_of_deepfakebench(tmp_path):
    frames = [f"FaceForensics++/x/000/{n}.png" for n in (1, 0)]
    real = {"test": {"c23": {"000": {"label": "FF-real", "frames": frames}}}}
    swapped = {"label": "FF-DF", "frames": ["FaceForensics++/y/000_003/0.png"]}
    path = tmp_path / "dataset_json" / "FaceForensics++.json"
    path.parent.mkdir()
    fake = {"train": {"c23": {"000_003": swapped}}, "test": {"c23": {"000_003": swapped}}}
    path.write_text(json.dumps({"FaceForensics++": {"FF-real": real, "FF-DF": fake}}))
    assert told("json", path) == {
        (0, "ffpp-000", "", "test", 2),
        (1, "ffpp-000", "FF-DF", "test", 1),
    }
    assert read_layout("json", path)[0].files[0] == tmp_path / "FaceForensics++/x/000/0.png"


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_an_empty_folder_or_file_says_what_was_looked_for(name, tmp_path):
    root = tmp_path
    if name == "json":
        root = tmp_path / "a.json"
        root.write_text("{}")
    with pytest.raises(TrainingError, match="No video"):
        read_layout(name, root)


def test_a_broken_list_is_named(tmp_path):
    base = tmp_path / "DFDC" / "test"
    video(base / "frames/aaa")
    (base / "labels.csv").write_text("filename,label\naaa.mp4,maybe\n")
    with pytest.raises(TrainingError, match=r"labels\.csv.*maybe"):
        read_layout("dfdc", tmp_path)
    (base / "labels.csv").write_text("name\naaa\n")
    with pytest.raises(TrainingError, match=r"labels\.csv"):
        read_layout("dfdc", tmp_path)


def test_build_writes_a_manifest_relative_to_itself(tmp_path):
    ffpp(tmp_path)
    out = tmp_path / "lists" / "ffpp.csv"
    arguments = ["manifest", "build", "ffpp", str(tmp_path), "--out", str(out), "--frames", "2"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = table(out)
    assert len(rows) == 4
    assert all((out.parent / row["path"]).is_file() for row in rows)
    assert {row["split"] for row in rows} == {"test"}
    result = CliRunner().invoke(main, [*arguments, "--split", "val"])
    assert result.exit_code == 1
    assert "no video in the part 'val'" in result.output


def picture(path, seed, quality=95):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (6, 6, 3)).astype(np.uint8)
    large = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)
    assert cv2.imwrite(str(path), large, [cv2.IMWRITE_JPEG_QUALITY, quality])


def check(tmp_path, lines, *more):
    path = tmp_path / "m.csv"
    path.write_text("path,label,source,video,split\n" + "\n".join(lines) + "\n")
    result = CliRunner().invoke(main, ["manifest", "check", str(path), "--json", *more])
    return result.exit_code, json.loads(result.stdout)


def test_a_clean_split_is_clean(tmp_path):
    for seed in range(4):
        picture(tmp_path / f"{seed}.jpg", seed)
    lines = [f"{n}.jpg,{n % 2},s,v{n // 2},{'test' if n > 1 else 'train'}" for n in range(4)]
    code, found = check(tmp_path, lines)
    assert code == 0
    assert found["ok"]
    assert found["parts"] == {"test": {"real": 1, "fake": 1}, "train": {"real": 1, "fake": 1}}


def test_a_video_and_a_recompressed_picture_on_both_sides_are_found_and_can_be_left_out(tmp_path):
    for seed in range(4):
        picture(tmp_path / f"{seed}.jpg", seed)
    picture(tmp_path / "again.jpg", 0, quality=40)
    lines = [
        "0.jpg,0,s,a,train",
        "1.jpg,1,s,b,train",
        "2.jpg,1,s,b,test",
        "3.jpg,0,s,c,test",
        "again.jpg,1,s,d,test",
    ]
    clean = tmp_path / "sub" / "clean.csv"
    clean.parent.mkdir()
    code, found = check(tmp_path, lines, "--write", str(clean))
    assert code == 1
    assert found["videos_on_both_sides"] == ["b"]
    assert [(n["first"], n["second"]) for n in found["near"]] == [("0.jpg", "again.jpg")]
    assert found["left_out"] == 2
    kept = table(clean)
    assert [row["path"] for row in kept] == ["../2.jpg", "../3.jpg", "../again.jpg"]


def test_an_unreadable_picture_is_named_and_does_not_end_it(tmp_path):
    picture(tmp_path / "0.jpg", 0)
    (tmp_path / "1.jpg").write_bytes(b"nothing")
    code, found = check(tmp_path, ["0.jpg,0,s,a,train", "1.jpg,1,s,b,test"])
    assert code == 0
    assert found["unreadable"] == ["1.jpg"]
