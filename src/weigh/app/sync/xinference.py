"""Xinference's registry, read as data from the package that is installed here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from weigh.app.sync.belonging import family_of
from weigh.app.sync.inquiry import Inquiry, Publisher
from weigh.app.sync.rows import Tally, decode_file
from weigh.core.errors import SourceError
from weigh.core.source import Listing
from weigh.knowledge.synced import MOST_MANY, Heard, Told, clean_id, clean_tokens
from weigh.sources.folder import Folder

MOST_BYTES, MOST_FILES = 1 << 20, 4000
_FILE = re.compile(r"model/(\w+)/(models/.*|model_spec\w*|llm_family\w*)\.json")
_SIZE = re.compile(r"\d{1,5}([._]\d{1,3})?")


class _Place(msgspec.Struct):
    model_id: str | None = None


class _Spec(msgspec.Struct):
    model_src: dict[str, _Place] = {}
    model_size_in_billions: float | str | None = None
    activated_size_in_billions: float | str | None = None


class _Model(msgspec.Struct):
    model_name: str
    context_length: float | None = None
    max_tokens: float | None = None
    model_specs: list[_Spec] = []
    model_src: dict[str, _Place] = {}


def hear(inquiry: Inquiry) -> Heard:
    """Every model that it can run. Raises SourceError, FormatError."""
    installed = inquiry.installed.get("xinference")
    if installed is None:
        raise SourceError("sync.not_installed", path="xinference", package="xinference")
    folder, tally = Folder(installed.folder), Tally()
    found: dict[str, Told] = {}
    for kind, rows in _files(folder):
        for row in tally.read(rows, _Model):
            if (told := _told(kind, row)) is not None:
                found.setdefault(told.id, told)
    models = tuple(found[id] for id in sorted(found))
    place = f"pkg:pypi/xinference@{installed.version}"
    return Heard(source="xinference", day=inquiry.day, place=place, models=models, ill=tally.ill)


def _files(folder: Listing) -> Iterator[tuple[str, list[msgspec.Raw]]]:
    """Kinds of model and the rows of each of their files."""
    matches = [(entry.path, match[1]) for entry in folder.entries if (match := _FILE.fullmatch(entry.path))]
    for path, kind in matches[:MOST_FILES]:
        yield kind, decode_file(folder.read(path, MOST_BYTES), list[msgspec.Raw], path=path)


def _told(kind: str, row: _Model) -> Told | None:
    id = clean_id(row.model_name)
    if id is None:
        return None
    hf, ms = _ids(row, "huggingface"), _ids(row, "modelscope")
    families = (family_of(hub_id) for hub_id in (id, *hf, *ms))
    return Told(
        id=id,
        family=next((family for family in families if family is not None), None),
        kind=kind,
        context_length=clean_tokens(row.context_length or row.max_tokens),
        weights="open",
        sizes=_distinct(map(_size, row.model_specs)),
        hf=hf,
        ms=ms,
    )


def _ids(row: _Model, hub: str) -> tuple[str, ...]:
    places = (spec.model_src.get(hub) for spec in (*row.model_specs, _Spec(model_src=row.model_src)))
    return _distinct(clean_id(place.model_id) for place in places if place is not None)


def _distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text is not None))[:MOST_MANY]


def _size(spec: _Spec) -> str | None:
    """As the table writes it: 8B, 30B-A3B."""
    total, active = _billions(spec.model_size_in_billions), _billions(spec.activated_size_in_billions)
    return total and (f"{total}B-A{active}B" if active is not None else f"{total}B")


def _billions(said: float | str | None) -> str | None:
    """Where a point cannot stand they write `_`."""
    text = said if isinstance(said, str) else f"{said:g}" if said is not None else ""
    return text.replace("_", ".") if _SIZE.fullmatch(text) else None


PUBLISHER = Publisher("xinference", hear, far=False)
