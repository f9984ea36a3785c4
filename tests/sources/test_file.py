"""A file is read at any offset; what is no file is refused with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weigh.core.errors import SourceError
from weigh.sources.file import FileSource
from weigh.sources.folder import Folder
from weigh.sources.memory import MemorySource


@settings(max_examples=50)
@given(st.binary(max_size=64), st.integers(0, 80), st.integers(0, 80))
def test_a_file_reads_as_its_bytes_slice(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, offset: int, length: int
) -> None:
    file = tmp_path_factory.mktemp("source") / "file"
    file.write_bytes(data)
    with FileSource(file) as source:
        assert source.read(offset, length) == data[offset : offset + length]
    assert MemorySource(data, path="file").read(offset, length) == data[offset : offset + length]


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        FileSource(tmp_path)
    assert refused.value.saying.key == "error.not_a_file"


def test_a_name_with_a_nul_is_refused() -> None:
    with pytest.raises(SourceError):
        FileSource("a\0b")


def test_a_folder_lists_files_by_path_and_leaves_work_folders_out(tmp_path: Path) -> None:
    for name in ("b/model.bin", "a.json", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [entry.path for entry in Folder(tmp_path).entries] == ["a.json", "b/model.bin"]


def test_a_link_to_a_file_is_listed_with_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"12345")
    (tmp_path / "model.bin").symlink_to("blob")
    entry = next(entry for entry in Folder(tmp_path).entries if entry.path == "model.bin")
    assert (entry.link, entry.nbytes) == ("blob", 5)
