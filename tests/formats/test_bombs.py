"""Archives made to never end: each ends soon, as incomplete, in little memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from weigh.app.examine import MOST_MEMBERS, MOST_SECONDS, examine_whole
from weigh.sources.memory import MemorySource

MOST_MIB = 200
WEIGH = r"""
import re, sys
from weigh.app.weigh import weigh
report = weigh(sys.argv[1])
assert report.error is None, report.error
most = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) >> 10
print(report.verdict, most, len(report.files))
"""


def many(count: int, content: Callable[[int], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(count):
            archive.writestr(f"d/{number}", content(number))
    return out.getvalue()


def many_in_tar(count: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number in range(count):
            info = tarfile.TarInfo(f"d/{number}")
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    return out.getvalue()


def zeros(megabytes: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return out.getvalue()


def deflated(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def nested(levels: int) -> bytes:
    """As 42.zip is: sixteen in each of sixteen in each, and zeros at the end."""
    data = deflated({"0.dll": bytes(32 << 20)})
    for _ in range(levels):
        data = deflated({f"lib {number}.zip": data for number in range(16)})
    return data


def ever_deeper(levels: int) -> bytes:
    data = b"the end\n"
    for _ in range(levels):
        data = gzip.compress(data)
    return data


def claims_of_a_sevenzip() -> bytes:
    """A header that says it has 2^40 files."""
    header = b"\x01\x05" + b"\xfc" + struct.pack("<I", 0xFFFFFFFF) + b"\xff" * 4
    import zlib

    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + header


PICKLE = b"\x80\x02" + b"N0" * 1_500_000 + b"."
HARMFUL: dict[str, Callable[[], bytes]] = {
    "sixty-thousand-members.zip": lambda: many(60_000, lambda number: b"hello world"),
    "sixty-thousand-unknown-members.zip": lambda: many(60_000, lambda number: b"\1\2\xff" + struct.pack("<I", number)),
    "sixty-thousand-members.tar": lambda: many_in_tar(60_000),
    "forty-two.zip": lambda: nested(4),
    "zeros.gz": lambda: zeros(256),
    "zeros-packed-twice.gz": lambda: gzip.compress(zeros(256)),
    "zeros.bz2": lambda: bz2.compress(bytes(1 << 27)),
    "zeros.xz": lambda: lzma.compress(bytes(1 << 27)),
    "ever-deeper.gz": lambda: ever_deeper(50),
    "streams-without-end.gz": lambda: gzip.compress(b"") * 500_000,
    "a-hundred-long-pickles.zip": lambda: deflated({f"{number}.bin": PICKLE for number in range(100)}),
    "a-deflated-data-pkl.pt": lambda: deflated({"archive/data.pkl": b"\x80\x02" + b"N0" * (40 << 20) + b"."}),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the high water of memory is read from /proc")
@pytest.mark.parametrize("name", list(HARMFUL))
def test_an_archive_made_to_never_end_is_soon_incomplete(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(HARMFUL[name]())
    done = subprocess.run(
        [sys.executable, "-c", WEIGH, str(tmp_path / name)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    verdict, mib, files = done.stdout.split()
    assert verdict == "incomplete"
    assert int(mib) < MOST_MIB
    assert int(files) <= MOST_MEMBERS + 1


def test_the_clock_ends_the_opening_of_members_and_says_so() -> None:
    ticks = iter(range(1000))
    seen = examine_whole(
        MemorySource(many(20, lambda number: b"text\n"), path="m.zip"), clock=lambda: next(ticks) * MOST_SECONDS * 0.4
    )
    assert [problem.detail.key for problem in seen[0].problems] == ["error.archive.effort"]
    assert 1 < len(seen) < 6


def test_a_sevenzip_that_claims_files_without_end_is_refused() -> None:
    (seen,) = examine_whole(MemorySource(claims_of_a_sevenzip(), path="m.7z"))
    assert [problem.kind for problem in seen.problems] == ["over-budget"]
