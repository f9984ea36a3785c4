"""Archives and compressed files: what is inside is what the reference libraries put there, and is judged."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import pickle
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from weigh.app.examine import examine_whole
from weigh.app.weigh import weigh
from weigh.codecs import zstandard
from weigh.core.errors import FormatError
from weigh.core.rule import Examined
from weigh.formats import detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "samples"
FORMATS = ("zip", "tar", "7z", "gzip", "bzip2", "xz", "lzma", "zlib", "lz4", "zstd")
ALL = [path for format in FORMATS for path in sorted((SAMPLES / format).iterdir()) if path.suffix != ".json"]


class Reaches:
    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, ("true",)


HOSTILE = pickle.dumps(Reaches())


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(*entries: tuple[str, bytes | str]) -> bytes:
    """Bytes make a file, text a symbolic link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, what in entries:
            info = tarfile.TarInfo(name)
            if isinstance(what, str):
                info.type, info.linkname = tarfile.SYMTYPE, what
                archive.addfile(info)
            else:
                info.size = len(what)
                archive.addfile(info, io.BytesIO(what))
    return out.getvalue()


def seen_in(data: bytes, path: str = "outer") -> list[Examined]:
    return examine_whole(MemorySource(data, path=path))


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("renamed", [False, True])
def test_what_is_inside_is_what_the_library_put_there(path: Path, renamed: bool, tmp_path: Path) -> None:
    oracle = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    if oracle["format"] == "zstd" and not zstandard.is_installed():
        pytest.skip("zstandard is not installed")
    file = tmp_path / ("model.dat" if renamed else path.name)
    file.write_bytes(path.read_bytes())
    with FileSource(file) as source:
        format = detect(source)
        assert format.name == oracle["format"] == format.read(source).format
        assert format.members is not None
        found = [
            (one.path.partition("!/")[2], one.size, zlib.crc32(one.read(0, one.size))) for one in format.members(source)
        ]
    said = [tuple(row) for row in oracle["members"]]
    if renamed and len(said) == 1:  # a stream's own name is the file's
        said = [("content", *row[1:]) for row in said]
    assert sorted(found) == said


@pytest.mark.parametrize("name", ["7z/bcj.7z", "7z/locked.7z"])
def test_a_method_that_is_not_unpacked_is_named_and_leaves_the_archive_incomplete(name: str) -> None:
    report = weigh(str(SAMPLES / name))
    assert report.verdict == "incomplete"
    assert {skip.reason for skip in report.skips} == {"encrypted" if "locked" in name else "not-decoded"}
    assert "AES-256" in str(report.skips[0].detail) if "locked" in name else "BCJ" in str(report.skips[0].detail)


def test_tensors_inside_an_archive_are_counted_and_the_archive_keeps_its_own_format() -> None:
    report = weigh(str(SAMPLES / "7z" / "lzma2.7z"))
    assert (report.format, report.verdict) == ("7z", "clean")
    assert report.model is not None and report.model.num_parameters is not None and report.model.nbytes is not None
    assert report.model.num_parameters.value == 6
    assert report.model.nbytes.value == (SAMPLES / "7z" / "lzma2.7z").stat().st_size
    assert [file.format for file in report.files] == ["7z", "safetensors", "json", "pickle", "text"]


@pytest.mark.parametrize(
    ("name", "data", "inner"),
    [
        ("model.pkl.gz", gzip.compress(HOSTILE, mtime=0), "model.pkl.gz!/model.pkl"),
        ("model.zip", zipped({"a/b.bin": HOSTILE}), "model.zip!/a/b.bin"),
        ("model.dat", gzip.compress(tarred(("x/weights.ckpt", HOSTILE)), mtime=0), "model.dat!/content!/x/weights.ckpt"),
        ("model.nemo", tarred(("model_weights.ckpt", HOSTILE), ("model_config.yaml", b"a: 1\n")), "model.nemo!/model_weights.ckpt"),
        ("model.mar", zipped({"MAR-INF/MANIFEST.json": b"{}", "handler.py": b"import os\n", "m.pt": HOSTILE}), "model.mar!/m.pt"),
    ],
)  # fmt: skip
def test_a_hostile_pickle_inside_makes_every_container_around_it_malicious(
    name: str, data: bytes, inner: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    report = weigh(str(tmp_path / name))
    verdicts = {file.path.removeprefix(f"{tmp_path}/"): file.verdict for file in report.files}
    assert (report.verdict, verdicts[inner], verdicts[name]) == ("malicious", "malicious", "malicious")


def test_a_model_in_an_archive_in_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("a folder\n")
    (tmp_path / "old.zip").write_bytes(zipped({"weights.bin": HOSTILE, "notes.txt": b"notes\n"}))
    report = weigh(str(tmp_path))
    assert {file.path: file.verdict for file in report.files} == {
        "README.md": "clean",
        "old.zip": "malicious",
        "old.zip!/weights.bin": "malicious",
        "old.zip!/notes.txt": "clean",
    }


def test_one_bad_member_does_not_stop_the_rest() -> None:
    data = bytearray(zipped({"a.txt": b"first " * 200, "b.pkl": HOSTILE}))
    start = data.index(b"a.txt") + 5
    data[start : start + 6] = b"\xff" * 6
    seen = {one.path: one for one in seen_in(bytes(data), "m.zip")}
    assert [problem.kind for problem in seen["m.zip!/a.txt"].problems] == ["malformed"]
    assert [one.value for one in seen["m.zip!/b.pkl"].observations if one.kind == "import"] == ["posix system"]


def test_what_comes_out_before_a_stream_breaks_is_looked_at() -> None:
    data = gzip.compress(HOSTILE + bytes(200_000))
    seen = seen_in(data[: len(data) - 40], "m.gz")
    assert [one.format for one in seen] == ["gzip", "pickle"]
    assert "truncated" in [problem.kind for problem in seen[0].problems]
    assert [problem.kind for problem in seen[1].problems] == ["over-budget"]
    assert any(one.kind == "import" for one in seen[1].observations)


def test_a_wrong_checksum_in_a_sevenzip_is_told_and_the_file_looked_at() -> None:
    data = bytearray((SAMPLES / "7z" / "copy.7z").read_bytes())
    data[data.index(b"hidden_size")] ^= 1
    archive, *inside = seen_in(bytes(data))
    assert [problem.detail.key for problem in archive.problems] == ["error.sevenzip.crc"]
    assert [problem.kind for one in inside for problem in one.problems] == ["over-budget"]


def test_what_stands_behind_a_compressed_stream_is_looked_at() -> None:
    seen = seen_in(gzip.compress(b"all is well\n") + HOSTILE, "m.gz")
    assert [(one.format, any(seen.kind == "import" for seen in one.observations)) for one in seen[1:]] == [
        ("text", False),
        ("pickle", True),
    ]


@pytest.mark.parametrize(
    "name",
    ["../../etc/cron.d/x", "/etc/passwd", "a/../../b", "C:\\windows\\x", "..\\..\\x"],
)
def test_a_name_that_leads_out_of_an_archive_is_told(name: str) -> None:
    tar, seen = seen_in(tarred((name, b"x" * 10)))
    assert [problem.kind for problem in tar.problems] == ["slip"]
    assert [(one.kind, one.value) for one in tar.observations] == [("external_path", name)]
    assert seen.path == f"outer!/{name}"


@pytest.mark.parametrize(("target", "told"), [("/etc/passwd", True), ("../../x", True), ("../b", False), ("b", False)])
def test_a_link_that_leads_out_of_an_archive_is_told(target: str, told: bool) -> None:
    (tar,) = seen_in(tarred(("a/link", target)))
    assert bool(tar.problems) is told is bool(tar.observations)


def test_an_encrypted_member_is_a_skip_and_the_others_are_seen() -> None:
    data = bytearray(zipped({"secret.txt": b"secret\n", "plain.txt": b"plain\n"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive, *inside = seen_in(bytes(data))
    assert [problem.kind for problem in archive.problems] == ["encrypted"]
    assert [one.path for one in inside] == ["outer!/plain.txt"]


def test_two_members_on_the_same_bytes_are_told() -> None:
    data = bytearray(zipped({"a.txt": b"a" * 50, "b.txt": b"b" * 50}, zipfile.ZIP_STORED))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    archive = seen_in(bytes(data))[0]
    assert "overlap" in [problem.kind for problem in archive.problems]


def cut_and_changed(path: Path) -> list[bytes]:
    import random

    data = path.read_bytes()
    chance = random.Random(7)
    found = [data[:length] for length in range(0, len(data), max(1, len(data) // 300))]
    for _ in range(150):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(changed))
            changed[at] = chance.randrange(256)
            if chance.random() < 0.3:
                changed[at : at + 8] = b"\xff" * 8
        found.append(bytes(changed))
    return found


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_truncation_and_mutation_is_answered(path: Path) -> None:
    for data in cut_and_changed(path):
        source = MemorySource(data, path="file")
        format = detect(source)
        with contextlib.suppress(FormatError):
            format.read(source)
        assert examine_whole(source)[0].format == format.name
