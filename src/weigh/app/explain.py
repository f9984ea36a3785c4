"""`weigh explain TERM`: a term looked up in the tables, or read by its shape."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from weigh.app.explain_catalog import call, catalog_contents, explained, near
from weigh.app.search import exact
from weigh.core.explanation import Explanation, Figure, Page
from weigh.knowledge.naming import QuantLabel, quantisations, suffixes
from weigh.knowledge.scenarios import scenarios
from weigh.knowledge.terms import Term, shapes, terms
from weigh.names.grammar import Reading, readings

_SEPARATORS = re.compile(r"[\s\-_./:]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_KINDS = ("size", "version", "tier", "function", "training", "quantisation", "format", "file", "language")
_MOST_RELATED = 4
_PARAMETERS_OF_AN_8B = 8.03e9
Entry = Term | QuantLabel


def explain(term: str) -> Explanation | None:
    """The main reading, the others under `see_also`; None for what nobody knows."""
    if _plain(term) in ("formats", "格式"):
        return _scenarios()
    listed = _index().get(_plain(term), ())
    if listed:
        return _listed(term.strip(), listed[0], listed[1:])
    if in_catalogue := explained(term):
        return in_catalogue[0]
    shaped = readings(term)
    return _shaped(term.strip(), shaped[0]) if shaped else None


def nearest(term: str) -> tuple[str, ...]:
    """At most five known terms that look like this one."""
    from difflib import get_close_matches  # of no use to a term that is known

    known = _index()
    found = get_close_matches(_plain(term), known, n=5, cutoff=0.5)
    return tuple(dict.fromkeys((*(_spelling(known[key][0]) for key in found), *near(term))))[:5]


def contents(*, chinese: bool = False) -> Mapping[str, tuple[str, ...]]:
    """Every listed term by its kind; on wish with a Chinese spelling behind, where there is one."""
    found: dict[str, list[str]] = {}
    for term in terms().values():
        name = _spelling(term)
        beside = next((word for word in _words(term) if chinese and _CHINESE.match(word)), None)
        found.setdefault(term.kind, []).append(f"{name} {beside}" if beside else name)
    found.setdefault("quantisation", []).extend(row.id for row in quantisations())
    listed = {kind: tuple(sorted(set(found[kind]), key=str.lower)) for kind in _KINDS if kind in found}
    rest = dict(catalog_contents(chinese=chinese))
    first = {sort: rest.pop(sort) for sort in ("kind", "task")}  # where a newcomer begins
    return {**first, **listed, **rest}


def _plain(text: str) -> str:
    """Case and separators do not count."""
    return _SEPARATORS.sub("", text.strip().casefold())


@functools.cache
def _index() -> Mapping[str, tuple[Entry, ...]]:
    """Entries by each of their spellings; the first is the main reading."""
    found: dict[str, list[Entry]] = {}
    for word, entry in _spellings():
        entries = found.setdefault(_plain(word), [])
        if entry not in entries:
            entries.append(entry)
    return {word: tuple(entries) for word, entries in found.items() if word}


def _spellings() -> Iterator[tuple[str, Entry]]:
    known = terms()
    for label in quantisations():
        yield label.id, label
    for term in sorted(known.values(), key=lambda term: term.kind == "format"):
        yield from ((word, term) for word in (_spelling(term), *term.aliases, term.id))
    for suffix in suffixes():
        explained = known.get(f"{suffix.kind}.{suffix.value}")
        if explained is not None:
            yield from ((word, explained) for word in suffix.words)
    for label in quantisations():
        yield from ((word, label) for word in label.words)


def _spelling(entry: Entry) -> str:
    match entry:
        case Term(term=str(written)):
            return written
        case Term(id=id):
            return id.partition(".")[2] or id
        case _:
            return entry.id


def _call(entry: Entry) -> str:
    """A spelling that leads to this entry and no other."""
    name = _spelling(entry)
    return name if _index()[_plain(name)][0] is entry else entry.id


def _listed(asked: str, entry: Entry, others: tuple[Entry, ...]) -> Explanation:
    name = _spelling(entry)
    same = _plain(asked) in (_plain(name), _plain(entry.id))
    facts: dict[str, Figure] = {} if same else {"stands_for": _call(entry)}
    if isinstance(entry, QuantLabel):
        page: Page = "quantisations"
        kind: str = "quantisation"
        facts |= _figures(entry)
    else:
        page = "formats" if entry.kind == "format" else "suffixes"
        kind, facts = entry.kind, facts | _circumstances(entry)
    return Explanation(
        term=name if same else asked,
        kind=kind,
        page=page,
        entry=entry.id,
        facts=facts,
        see_also=tuple(dict.fromkeys((*map(_call, others), *_related(entry), *_in_catalogue(asked)))),
        sources=(entry.source, *entry.also),
    )


def _in_catalogue(asked: str) -> tuple[str, ...]:
    """The same word where it also names a kind, a task, a vendor or a family."""
    return tuple(spelling for entry in exact(asked) if (spelling := call(entry)))


def _related(entry: Entry) -> tuple[str, ...]:
    """What the table names; of a quantisation those of its method that are nearest in size."""
    if isinstance(entry, Term):
        return entry.see
    rows = [
        row for row in quantisations() if row.method == entry.method and row.method is not None and row is not entry
    ]
    if entry.method == "GGUF":
        rows = [row for row in rows if _is_dynamic(row) == _is_dynamic(entry) and _is_offered(row)]
    rows.sort(key=lambda row: (abs(_width(row) - _width(entry)), row.id))
    return tuple(row.id for row in rows[:_MOST_RELATED])


def _width(label: QuantLabel) -> float:
    return label.bits_per_weight or label.bits or 0.0


def _is_dynamic(label: QuantLabel) -> bool:
    return label.id.startswith("UD-")


def _is_offered(label: QuantLabel) -> bool:
    """Is it worth naming: its size is known, and of static files none measured is as small as good?"""
    return label.bits_per_weight is not None and (_is_dynamic(label) or _is_unbeaten(label))


def _is_unbeaten(label: QuantLabel) -> bool:
    """Was its loss measured, and is none that is as small as good?"""
    loss = label.perplexity_added
    return loss is not None and not any(
        _width(other) <= _width(label) and other.perplexity_added <= loss
        for other in quantisations()
        if other is not label and other.perplexity_added is not None and not label.id.startswith(f"{other.id}_")
    )


def _figures(label: QuantLabel) -> dict[str, Figure]:
    names = ("method", "scheme", "bits", "bits_per_weight", "block", "block_bytes", "perplexity_added")
    facts: dict[str, Figure] = {name: value for name in names if (value := getattr(label, name)) is not None}
    if label.bits_per_weight is not None:
        facts["gigabytes_of_an_8b"] = round(label.bits_per_weight * _PARAMETERS_OF_AN_8B / 8e9, 1)
    return facts | {name: value for name in ("needs", "engines") if (value := getattr(label, name))}


def _circumstances(term: Term) -> dict[str, Figure]:
    facts: dict[str, Figure] = {}
    if spellings := _words(term):
        facts["spellings"] = spellings
    if term.opens:
        facts["opens"] = term.opens
    if term.runs_code is not None:
        facts["runs_code"] = term.runs_code
    return facts


def _words(term: Term) -> tuple[str, ...]:
    """Its spellings: the table's own first, those of the decoder after them."""
    decoded = (word for suffix in suffixes() if f"{suffix.kind}.{suffix.value}" == term.id for word in suffix.words)
    return tuple(dict.fromkeys((*term.aliases, *decoded)))


def _shaped(asked: str, reading: Reading) -> Explanation:
    shape = shapes()[reading.shape]
    return Explanation(
        term=asked,
        kind=shape.kind,
        page="grammar",
        entry=shape.id,
        values={"term": asked, **reading.figures},
        facts={name: value for name, value in reading.figures.items() if not name.endswith("yi")},
        see_also=shape.see,
        sources=(shape.source,),
    )


def _scenarios() -> Explanation:
    rows = scenarios()
    facts: dict[str, Figure] = {}
    for row in rows:
        facts[row.id] = row.formats
        facts[f"{row.id}.quantisations"] = row.quantisations
        facts[f"{row.id}.engines"] = row.engines
    return Explanation(
        term="formats",
        kind="scenarios",
        page="scenarios",
        entry="formats",
        facts=facts,
        see_also=tuple(sorted(term.id.partition(".")[2] for term in terms().values() if term.kind == "format")),
        sources=tuple(dict.fromkeys(row.source for row in rows)),
    )
