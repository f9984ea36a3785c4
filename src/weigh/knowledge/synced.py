"""What other publishers of structured data said on a day: the user's own copy beside the shipped tables."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from weigh.core.errors import TableError
from weigh.core.value import Value

FORM: Literal[1] = 1  # of the kept file
MOST_TEXT, MOST_MANY = 200, 64
MOST_TOKENS = 1 << 40
_ID = re.compile(r"[A-Za-z0-9_.:/@+-]{1,200}", re.ASCII)
_DAY = re.compile(r"(19|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?(?![\d-])", re.ASCII)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")

Weights = Literal["open", "closed"]


class Told(Value, frozen=True, kw_only=True):
    """What one source says of one model. `id` is its name there; `family` and `vendor` are the table's, where known.

    `own`: the table itself names this id. `kind` is the source's word for it.
    """

    id: str
    family: str | None = None
    vendor: str | None = None
    own: bool = False
    name: str | None = None
    kind: str | None = None
    released: str | None = None
    context_length: int | None = None
    weights: Weights | None = None
    licence: str | None = None
    sizes: tuple[str, ...] = ()
    hf: tuple[str, ...] = ()
    ms: tuple[str, ...] = ()


class Heard(Value, frozen=True, kw_only=True):
    """One source on one day. `ill` rows were of a wrong shape; `whole` is False where more is there than was asked for.

    `absent` are ids of the table that it does not list.
    """

    source: str
    day: str
    place: str
    models: tuple[Told, ...] = ()
    absent: tuple[str, ...] = ()
    ill: int = 0
    whole: bool = True


class Synced(Value, frozen=True, kw_only=True):
    """The kept file: each source as it was last heard."""

    form: Literal[1]
    sources: tuple[Heard, ...]


class Disagreement(Value, frozen=True, kw_only=True):
    """The table says `ours` of a field, nothing where it is empty; `theirs` is what each source says."""

    family: str
    field: str
    ours: tuple[str, ...]
    theirs: tuple[tuple[str, tuple[str, ...]], ...]


class Change(Value, frozen=True, kw_only=True):
    """What is new, gone or not as before in one source; `before` and `after` are of a field."""

    source: str
    id: str
    what: Literal["new", "gone", "changed"]
    family: str | None = None
    field: str | None = None
    before: str | None = None
    after: str | None = None


class Met(Value, frozen=True, kw_only=True):
    """A model that others publish and the table has no row for; `heard` are the sources and the days they said so."""

    id: str
    name: str | None = None
    family: str | None = None
    vendor: str | None = None
    kind: str | None = None
    released: str | None = None
    heard: tuple[tuple[str, str], ...]


def parse_synced(data: bytes, *, path: str) -> Synced:
    """The kept file. Raises TableError for one that is not as we write it."""
    try:
        return msgspec.json.decode(data, type=Synced)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TableError("synced", path=path, problem=str(error)) from error


def clean_id(text: str | None) -> str | None:
    """An id as hubs and interfaces make them, else None."""
    return text if text is not None and _ID.fullmatch(text) else None


def clean_text(text: str | None) -> str | None:
    """A short line without what is not seen; None if nothing is left."""
    return _UNSEEN.sub("", text[:MOST_TEXT]).strip() or None if text is not None else None


def clean_day(text: str | None) -> str | None:
    """The year, month or day that a date begins with, else None."""
    found = _DAY.match(text[:10]) if text is not None else None
    return found.group() if found is not None else None


def clean_tokens(count: float | None) -> int | None:
    """A number of tokens that can be one, else None."""
    return int(count) if count is not None and 0 < count < MOST_TOKENS else None
