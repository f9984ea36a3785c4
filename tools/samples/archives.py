"""Archives and compressed files, each with a small model inside, by the standard library, py7zr, zstandard and lz4.

`python -m tools.samples.archives OUT` writes a folder a format.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

from tools.samples.oracles import main, note


def safetensors() -> bytes:
    """Two tensors of zeros."""
    table = {
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "I64", "shape": [2], "data_offsets": [24, 40]},
    }
    text = json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + bytes(40)


FILES = {
    "model/model.safetensors": safetensors(),
    "model/config.json": b'{"model_type": "llama", "hidden_size": 8}\n',
    "model/extra.pkl": pickle.dumps({"step": 7, "loss": [0.5, 0.25]}),
    "README.md": "# A model\n\n小模型\n".encode(),
}
WORDS = " ".join(random.Random(1).choice(["weigh", "scale", "model", "tensor", "称"]) for _ in range(3000)).encode()


def write(folder: Path) -> None:
    """Every sample and its oracle, in a folder a format."""
    _zips(folder / "zip")
    _tars(folder / "tar")
    _sevenzips(folder / "7z")
    _streams(folder)


def _note(path: Path, format: str, members: dict[str, bytes]) -> None:
    rows = [[name, len(data), zlib.crc32(data)] for name, data in members.items()]
    note(path, format, members=sorted(rows))


def _zips(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, method in {"stored": 0, "deflated": 8, "bzip2": 12}.items():
        path = folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, data in FILES.items():
                archive.writestr(zipfile.ZipInfo(member), data, compress_type=method)
        with zipfile.ZipFile(path) as archive:
            _note(path, "zip", {info.filename: archive.read(info) for info in archive.infolist()})


def _tars(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    long = {
        **FILES,
        f"{'folder/' * 40}long.txt": b"a name beyond a hundred bytes\n",
        "模型/说明.txt": "说明\n".encode(),
    }
    for name, form in {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}.items():
        path = folder / f"{name}.tar"
        with tarfile.open(path, "w", format=form) as archive:
            for member, data in (FILES if name == "ustar" else long).items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo("latest")
            link.type, link.linkname = tarfile.SYMTYPE, "model/model.safetensors"
            archive.addfile(link)
        with tarfile.open(path) as archive:
            files = [info for info in archive.getmembers() if info.isfile()]
            _note(path, "tar", {info.name: archive.extractfile(info).read() for info in files})  # type: ignore[union-attr]


def _sevenzips(folder: Path) -> None:
    import py7zr

    folder.mkdir(parents=True, exist_ok=True)
    methods = {
        "copy": [{"id": py7zr.FILTER_COPY}],
        "lzma": [{"id": py7zr.FILTER_LZMA}],
        "lzma2": [{"id": py7zr.FILTER_LZMA2, "preset": 6}],
        "deflate": [{"id": py7zr.FILTER_DEFLATE}],
        "bzip2": [{"id": py7zr.FILTER_BZIP2}],
        "bcj": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 6}],
    }
    for name, filters in methods.items():
        path = folder / f"{name}.7z"
        with py7zr.SevenZipFile(path, "w", filters=filters) as archive:
            for member, data in FILES.items():
                archive.writef(io.BytesIO(data), member)
        _note(path, "7z", {} if name == "bcj" else FILES)
    path = folder / "locked.7z"
    with py7zr.SevenZipFile(path, "w", password="weigh") as archive:
        archive.writef(io.BytesIO(WORDS), "words.txt")
    _note(path, "7z", {})


def _streams(folder: Path) -> None:
    import lz4.frame
    import zstandard

    packed = {
        "gzip/words.txt.gz": gzip.compress(WORDS, mtime=0),
        "gzip/two-streams.txt.gz": gzip.compress(WORDS[:5000], mtime=0) + gzip.compress(WORDS[5000:], mtime=0),
        "bzip2/words.txt.bz2": bz2.compress(WORDS),
        "xz/words.txt.xz": lzma.compress(WORDS),
        "lzma/words.txt.lzma": lzma.compress(WORDS, format=lzma.FORMAT_ALONE),
        "zlib/words.txt.zlib": zlib.compress(WORDS),
        "lz4/words.txt.lz4": lz4.frame.compress(WORDS, content_checksum=True),
        "lz4/linked.txt.lz4": lz4.frame.compress(WORDS, block_linked=True, block_size=4, store_size=False),
        "zstd/words.txt.zst": zstandard.ZstdCompressor(write_checksum=True).compress(WORDS),
    }
    for name, data in packed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        _note(path, path.parent.name, {path.name.rpartition(".")[0]: WORDS})


if __name__ == "__main__":
    main(write)
