"""What archives are judged for: names that lead out, parts that could not be opened."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from weigh.app.weigh import weigh


def zip_of(path: Path, *infos: tuple[zipfile.ZipInfo, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in infos:
            archive.writestr(info, data)
    return str(path)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("../x.txt", "suspicious"), ("/x.txt", "suspicious"), ("a/../x.txt", "clean"), ("a/..x.txt", "clean")],
)
def test_a_name_that_leads_out_makes_an_archive_suspicious(name: str, verdict: str, tmp_path: Path) -> None:
    report = weigh(zip_of(tmp_path / "a.zip", (zipfile.ZipInfo(name), b"text\n")))
    assert report.verdict == verdict
    assert [one.rule for one in report.findings] == (["archive-slip"] if verdict == "suspicious" else [])


@pytest.mark.parametrize(("target", "verdict"), [("../../etc/passwd", "suspicious"), ("../b.txt", "clean")])
def test_a_link_in_a_zip_is_followed_to_its_text_alone(target: str, verdict: str, tmp_path: Path) -> None:
    report = weigh(zip_of(tmp_path / "a.zip", (link("folder/link"), target.encode())))
    assert report.verdict == verdict


def test_a_sparse_file_in_a_tar_is_said_not_to_be_seen(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("hole.bin")
        info.type = tarfile.GNUTYPE_SPARSE
        archive.addfile(info)
    (tmp_path / "a.tar").write_bytes(out.getvalue())
    report = weigh(str(tmp_path / "a.tar"))
    assert (report.verdict, [skip.reason for skip in report.skips]) == ("incomplete", ["not-decoded"])
    assert [(file.path.rpartition("/")[2], file.covered) for file in report.files] == [("a.tar", False)]


def test_an_empty_file_that_is_empty_by_habit_is_no_fault(tmp_path: Path) -> None:
    report = weigh(zip_of(tmp_path / "a.zip", (zipfile.ZipInfo("package/__init__.py"), b"")))
    assert report.verdict == "clean"
