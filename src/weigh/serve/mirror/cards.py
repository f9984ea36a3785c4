"""What a model's card says, for listing and searching: its front matter alone, and the suffixes of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from weigh.app.mirror.shelf import MAIN, Kind, Place, Shelf, walk
from weigh.app.mirror.snapshot import Seen, scan
from weigh.codecs.front_matter import front_matter

MOST_CARD = 64 << 10  # bytes
KEYS = ("license", "pipeline_tag", "library_name", "language", "base_model")
FORMATS = ("safetensors", "gguf", "onnx")


class Card(NamedTuple):
    """A repository as a list shows it; nothing is hashed for that."""

    place: Place
    facts: Mapping[str, str]
    tags: tuple[str, ...]
    paths: tuple[str, ...]
    nbytes: int
    modified: float


def cards(shelf: Shelf, kind: Kind) -> Iterator[Card]:
    """Of every repository that holds a file."""
    for place in walk(shelf, kind):
        seen = scan(shelf, place.folders[MAIN])
        if seen:
            yield card_of(place, seen)


def card_of(place: Place, seen: tuple[Seen, ...]) -> Card:
    """By its README.md, where it has one."""
    facts = _facts(next((one.real for one in seen if one.path == "README.md"), None))
    named = [facts[key] for key in ("pipeline_tag", "library_name") if key in facts]
    formats = [form for form in FORMATS if any(one.path.lower().endswith(f".{form}") for one in seen)]
    licence = [f"license:{facts['license']}"] if "license" in facts else []
    return Card(
        place=place,
        facts=facts,
        tags=tuple(dict.fromkeys([*named, *formats, *licence])),
        paths=tuple(one.path for one in seen),
        nbytes=sum(one.look.nbytes for one in seen),
        modified=max(one.look.mtime_ns for one in seen) / 1e9,
    )


def is_found(card: Card, query: Mapping[str, str], filters: list[str]) -> bool:
    """Does it answer to a search as the hubs' lists understand it?"""
    id = card.place.id.casefold()
    words = query.get("search", "").casefold().split()
    author = query.get("author")
    task = query.get("pipeline_tag")
    library = query.get("library")
    return (
        all(word in id for word in words)
        and (not author or card.place.id.partition("/")[0] == author)
        and (not task or card.facts.get("pipeline_tag") == task)
        and all(one in card.tags for one in [*filters, *([library] if library else [])])
    )


def when(seconds: float) -> str:
    """As hubs write a moment."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _facts(path: str | None) -> Mapping[str, str]:
    if path is None:
        return {}
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            return front_matter(file.read(MOST_CARD).decode("utf-8", "replace"), KEYS)
    except OSError:
        return {}
