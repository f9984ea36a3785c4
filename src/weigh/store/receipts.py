"""Which files of a folder in a cache were pulled, so that one of them that goes is missed."""

from __future__ import annotations

import os
from hashlib import sha256

import msgspec

from weigh.core.value import Value
from weigh.store.quarantine import write

MOST = 64 << 20  # bytes of one


class Receipt(Value, frozen=True, kw_only=True):
    """`folder` is where it was released, `files` are the paths below it."""

    folder: str
    commit: str | None = None
    files: tuple[str, ...] = ()


def keep(home: str, receipt: Receipt) -> None:
    """Beside what was pulled before of the same commit. Raises OSError."""
    before = receipt_of(home, receipt.folder)
    files = set(receipt.files)
    if before is not None and before.commit == receipt.commit:
        files |= set(before.files)
    kept = msgspec.structs.replace(receipt, folder=os.path.realpath(receipt.folder), files=tuple(sorted(files)))
    write(place(home, receipt.folder), msgspec.json.encode(kept))


def receipt_of(home: str, folder: str) -> Receipt | None:
    """None where nothing was pulled into this folder."""
    try:
        with open(place(home, folder), "rb") as file:
            receipt = msgspec.json.decode(file.read(MOST), type=Receipt)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return receipt if receipt.folder == os.path.realpath(folder) else None


def place(home: str, folder: str) -> str:
    """Where the receipt of a folder lies, whichever of its names one knows it by."""
    name = sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:32]
    return os.path.join(home, "receipts", f"{name}.json")
