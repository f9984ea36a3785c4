"""A company's own formats, named in its signatures.toml: which bytes, what to say, which tool opens it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from weigh.core.errors import TableError
from weigh.core.value import Value

MOST_OFFSET = 1 << 20
MOST_SIGNATURES = 1000
LEAST_MAGIC = 3  # bytes: fewer stand in any file by chance


class Words(Value, frozen=True, kw_only=True):
    """What to say of a file: in English, and in Chinese where that is given."""

    en: str
    zh: str | None = None


class Signature(Value, frozen=True, kw_only=True):
    """`magic` in hexadecimal, spaces allowed, at `offset` from the start; `tool` is what opens the file."""

    id: str
    magic: str
    offset: int = 0
    says: Words
    tool: str | None = None

    @property
    def bytes(self) -> bytes:
        """The magic itself."""
        return bytes.fromhex(self.magic)


def parse_signatures(data: bytes, *, path: str) -> tuple[Signature, ...]:
    """The rows of `[[signature]]`. Raises TableError that names the row which does not hold."""
    import tomllib  # few have a file of this kind

    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise TableError("signatures.toml", path=path, problem=str(error)) from error
    rows = table.get("signature")
    if set(table) != {"signature"} or not isinstance(rows, list) or len(rows) > MOST_SIGNATURES:
        raise TableError("signatures.toml", path=path, problem="[[signature]]")
    signatures = tuple(_row(number, row, path) for number, row in enumerate(rows, 1))
    seen: set[str] = set()
    for number, row in enumerate(signatures, 1):
        if row.id in seen:
            raise TableError("signatures.row", path=path, row=number, id=row.id, problem="id")
        seen.add(row.id)
    return signatures


def _row(number: int, row: object, path: str) -> Signature:
    id = str(row.get("id", "?")) if isinstance(row, dict) else "?"
    try:
        signature = msgspec.convert(row, Signature)
        problem = next(_faults(signature), None)
    except (msgspec.ValidationError, ValueError) as error:
        raise TableError("signatures.row", path=path, row=number, id=id, problem=str(error)) from error
    if problem is not None:
        raise TableError("signatures.row", path=path, row=number, id=id, problem=problem)
    return signature


def _faults(signature: Signature) -> Iterator[str]:
    """The fields that cannot be, by name."""
    if not signature.id:
        yield "id"
    if len(signature.bytes) < LEAST_MAGIC:
        yield f"magic: < {LEAST_MAGIC}"
    if not 0 <= signature.offset <= MOST_OFFSET:
        yield f"offset: 0..{MOST_OFFSET}"
