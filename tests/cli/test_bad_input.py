"""Bad input gets one clear line and the right exit status; a bad file among many does not stop the rest."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 4920733696\n"
)
WEB_PAGE = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>Not Found</body></html>"


def weigh(*arguments: str | Path, user: str | None = None) -> subprocess.CompletedProcess[str]:
    """The real command in a real process."""
    command = [sys.executable, "-m", "weigh", *map(str, arguments)]
    extra = {"user": user} if user else {}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, **extra)  # type: ignore[call-overload, no-any-return]


def report(*arguments: str | Path) -> tuple[dict[str, object], int]:
    """The JSON it prints and its exit status; never a traceback."""
    done = weigh(*arguments, "--json")
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout), done.returncode


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_missing_path_is_one_line_and_status_2(tmp_path: Path, language: str) -> None:
    done = weigh(tmp_path / "nowhere.gguf", "--lang", language)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "nowhere.gguf" in done.stderr


def test_an_empty_file_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "empty.safetensors"
    file.touch()
    said, status = report(file)
    assert (said["verdict"], status) == ("broken", 2)


def test_an_empty_folder_cannot_be_weighed(tmp_path: Path) -> None:
    said, status = report(tmp_path)
    assert status == 2
    assert "error" in said


def test_a_folder_with_nothing_known_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(bytes(range(7, 256)) * 9)
    said, status = report(tmp_path)
    assert (said["verdict"], status) == ("incomplete", 2)
    assert [skip["reason"] for skip in said["skips"]] == ["not-recognised"]  # type: ignore[index, attr-defined]


def test_a_web_page_saved_as_a_model_is_named(tmp_path: Path) -> None:
    file = tmp_path / "model-Q4_K_M.gguf"
    file.write_bytes(WEB_PAGE)
    said, status = report(file)
    assert status == 2
    assert [finding["rule"] for finding in said["findings"]] == ["html-page"]  # type: ignore[index, attr-defined]


def test_a_pointer_says_how_large_the_weights_would_be(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(LFS_POINTER)
    said, status = report(file)
    assert status == 2
    (finding,) = said["findings"]  # type: ignore[misc]
    assert finding["rule"] == "lfs-pointer"
    assert "4.58 GiB" in finding["detail"] and "git lfs pull" in finding["detail"]


def test_a_header_of_four_exabytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    _, status = report(file)
    assert status == 2


def test_six_million_strings_in_113_bytes_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    key = b"tokenizer.ggml.tokens"
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(key)) + key
    body = head + struct.pack("<IIQ", 9, 8, 6_000_000)
    file.write_bytes(body.ljust(113, b"\0"))
    said, status = report(file)
    assert (said["verdict"], status) == ("broken", 2)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "down").symlink_to(tmp_path)
    for reference in (tmp_path, tmp_path / "a"):
        _, status = report(reference)
        assert status == 2


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    said, status = report(tmp_path / "pipe.gguf")
    assert status == 2
    assert "error" in said


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    file.chmod(0)
    if os.geteuid() != 0:
        said, status = report(file)
        assert status == 2
        assert "error" in said
        return
    from weigh.core.errors import SourceError
    from weigh.sources.file import unreadable

    error = unreadable(PermissionError(13, "denied"), str(file))
    assert isinstance(error, SourceError)
    assert error.saying.key == "error.no_permission"


def test_names_that_are_no_utf8_are_shown_escaped(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/model-\xff\x1b[31m.gguf"))
    file.write_bytes(WEB_PAGE)
    done = weigh(file)
    assert done.returncode == 2
    assert "\x1b" not in done.stdout
    said, _ = report(file)
    assert said["verdict"] == "broken"


def test_a_bad_file_among_many_does_not_stop_the_rest(tmp_path: Path) -> None:
    good, bad = tmp_path / "notes.txt", tmp_path / "model.gguf"
    good.write_text("A plain text, nothing else.\n")
    bad.write_bytes(b"GGUF\x03\0")
    said, status = report(good, tmp_path / "missing", bad)
    assert status == 2
    assert isinstance(said, list)
    assert [one.get("verdict") for one in said] == ["clean", "incomplete", "broken"]
