"""Search over the catalogue: an exact name first, then beginnings, words, stretches, and slips of the pen last."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from weigh.core.name import Part
from weigh.knowledge.catalog import Entry, Family, Kind, Task, Vendor, families, kinds, licences, tasks, vendors
from weigh.names.decode import decode

_SEPARATORS = re.compile(r"[\s\-_./:,;·()（）、，\"']+")
_WORDS = re.compile(r"[a-z]+|\d+(?:\.\d+)*(?:[bmk](?![a-z]))?|[\u4e00-\u9fff]+|\+")  # 7b is one word, 4o are two
_VERSION = re.compile(r"[vV]?(\d{1,4}(?:\.\d{1,4}){0,3})")
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)([tbmTBM])(?![a-zA-Z])")
_FIGURES = re.compile(r"\d(?:[bm](?![a-z]))?")
_UNITS = {"T": 1e3, "B": 1.0, "M": 1e-3}
_SIZE_UNITS = frozenset("bm")
_ROUNDING = 1.5  # of a size: what is packed with it counts too
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ENOUGH_LATIN, _ENOUGH_CHINESE = 5, 2  # a shorter stretch stands in too many names
_FILLERS = ("大模型", "模型", "系列", "助手", "的")  # what is put behind a name and says nothing
_LONGEST_QUERY = 200
_SHORTEST_SLIP, _LONG_WORD = 4, 8
_ORDER = (Kind, Task, Vendor, Family)
_NOT_CURRENT = 1


class Hit(NamedTuple):
    """An entry and how near it is: 0 exact, 1 begins so, 2 word by word, 3 a stretch, 4 named inside, 5 a slip.

    `beside` counts the letters around a stretch.
    """

    rank: int
    entry: Entry
    beside: int = 0


def find(query: str) -> tuple[Hit, ...]:
    """What the query may mean, best first; nothing for what nobody calls so."""
    query = query[:_LONGEST_QUERY]
    asked = plain(query)
    if not asked:
        return ()
    hits = _near(query, asked)
    if not hits and (named := family_named(query)) is not None:
        hits = [Hit(4, named)]
    return tuple(sorted(hits or _slips(asked), key=_place))


def exact(query: str) -> tuple[Entry, ...]:
    """Entries of which this is a name, in the order of `find`."""
    return tuple(hit.entry for hit in sorted((Hit(0, entry) for entry in _called(plain(query))), key=_place))


def family_named(text: str) -> Family | None:
    """The family a model's name begins with, where all that follows is understood: a size, a packing, a tuning."""
    parts = decode(text.rpartition("/")[2]).parts
    for end in range(len(parts), 0, -1):
        beginning = plain("".join(part.text for part in parts[:end]))
        found = [entry for entry in _called(beginning) if isinstance(entry, Family)]
        if found:
            return found[0] if _are_understood(found[0], parts[:end], parts[end:]) else None
    return None


def _are_understood(family: Family, before: Sequence[Part], after: Sequence[Part]) -> bool:
    """Can all that follows the family's name be: no unknown word, no version and no size that it never had?"""
    if any(part.kind == "unknown" for part in after):
        return False
    told = {part.kind for part in before}
    if not {"size", "version"} & told and _bears_a_figure(family) and any(part.kind == "tier" for part in after):
        return False  # Mistral Large is no Mistral 7B
    versions = [part.text for part in after if part.kind == "version"] if not {"size", "version"} & told else []
    sizes = [part.text for part in after if part.kind == "size"]
    return all(_has_been(family, text) for text in versions) and all(_is_as_large(family, text) for text in sizes)


def _has_been(family: Family, version: str) -> bool:
    """Is it a version of the family that bears no figure in its name, and no later one than is known?"""
    asked, known = _VERSION.fullmatch(version), _VERSION.fullmatch(family.version or "")
    if asked is None or known is None or _bears_a_figure(family):
        return False
    return [int(figure) for figure in asked[1].split(".")] <= [int(figure) for figure in known[1].split(".")]


def _bears_a_figure(family: Family) -> bool:
    return any(word[0].isdigit() for word in family.id.split("-"))


def _is_as_large(family: Family, size: str) -> bool:
    """Is it no larger than the largest of its sizes, as far as these are known?"""
    asked = _billions(size)
    known = [billions for one in family.sizes if (billions := _billions(one)) is not None]
    return asked is None or not known or asked <= _ROUNDING * max(known)


def _billions(size: str) -> float | None:
    """The total of 8B, 30B-A3B, 0.6B, 350M or 1T; None for what is written otherwise."""
    found = _SIZE.match(size)
    return float(found[1]) * _UNITS[found[2].upper()] if found is not None else None


def plain(text: str) -> str:
    """Case, width and separators do not count."""
    return _SEPARATORS.sub("", _folded(text))


def words_of(text: str) -> list[str]:
    """What stands between separators."""
    return [word for word in _SEPARATORS.split(text[:_LONGEST_QUERY]) if word]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _near(query: str, asked: str) -> list[Hit]:
    """Everything whose own names or circle of words hold the query."""
    best = {entry.id: Hit(0, entry) for entry in _called(asked)}
    for name, entries in _names().items():
        if name.startswith(asked) and not _cuts_a_size(name, len(asked)):
            for entry in entries:
                best.setdefault(entry.id, Hit(1, entry))
    for entry in (*_with_words(_WORDS.findall(_folded(query))), *_with_words(_in_known_words(asked))):
        best.setdefault(entry.id, Hit(2, entry))
    for entry, beside in _stretches(asked):
        if entry.id not in best or best[entry.id].beside > beside:
            best[entry.id] = Hit(3, entry, beside)
    return list(best.values())


def _cuts_a_size(name: str, at: int) -> bool:
    """Llama-7 is not the beginning of llama-7b."""
    return name[at - 1].isdigit() and name[at : at + 1] in _SIZE_UNITS and not name[at + 1 : at + 2].isalpha()


def _with_words(words: list[str]) -> Iterator[Entry]:
    """Entries in whose circle each of the words is; one letter alone finds nothing."""
    if any(len(word) > 1 for word in words):
        yield from (entry for entry, circle in _circles() if all(_has_word(circle, word) for word in words))


def _in_known_words(asked: str) -> list[str]:
    """Chinese that is written without a space, cut into names that are known; empty if anything is left over."""
    if not _CHINESE.search(asked):
        return []
    found, at = [], 0
    while at < len(asked):
        ends = range(len(asked), at, -1)
        end = next((end for end in ends if asked[at:end] in _FILLERS or asked[at:end] in _names()), None)
        if end is None:
            return []
        found += [word for word in _WORDS.findall(asked[at:end]) if asked[at:end] not in _FILLERS]
        at = end
    return found


def _stretches(asked: str) -> Iterator[tuple[Entry, int]]:
    """Entries with a word that holds the query, and the letters around it; figures are never cut out of a word."""
    chinese = _CHINESE.search(asked) is not None
    if len(asked) < (_ENOUGH_CHINESE if chinese else _ENOUGH_LATIN) or any(letter.isdigit() for letter in asked):
        return
    for entry, circle in _circles():
        if asked in circle:
            yield entry, min(len(word) for word in circle.split() if asked in word) - len(asked)


def _has_word(words: str, word: str) -> bool:
    """Is it a word's beginning; of a number the whole, of Chinese any stretch?"""
    if _CHINESE.match(word):
        return word in words
    return f" {word} " in words if word[0].isdigit() or len(word) == 1 else f" {word}" in words


def _slips(asked: str) -> list[Hit]:
    """Names one letter away, two in long ones, with the same figures."""
    if len(asked) < _SHORTEST_SLIP or _CHINESE.search(asked):
        return []
    most = 2 if len(asked) >= _LONG_WORD else 1
    figures = _figures(asked)
    found: dict[str, Hit] = {}
    for name, entries in _names().items():
        alike = abs(len(name) - len(asked)) <= most and name[0] == asked[0] and _figures(name) == figures
        if alike and _distance(name, asked, most) <= most:
            found |= {entry.id: Hit(5, entry) for entry in entries}
    return list(found.values())


def _figures(text: str) -> str:
    """With the unit of a size: 7 is not 7b."""
    return "".join(_FIGURES.findall(text))


def _distance(one: str, other: str, most: int) -> int:
    """How many letters were left out, put in, changed or swapped; `most` + 1 for more than that."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for to, against in enumerate(other, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != against))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == against:
                cost = min(cost, earlier[to - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _place(hit: Hit) -> tuple[int, int, int, int, tuple[int, ...], str]:
    """Rank; then what kind of thing; then what is current, the newest first."""
    entry = hit.entry
    what = next((at for at, kind in enumerate(_ORDER) if isinstance(entry, kind)), len(_ORDER))
    if not isinstance(entry, Family):
        return hit.rank, hit.beside, what, 0, (), entry.id
    newest = tuple(-int(figure) for figure in (entry.released or "0").split("-"))
    return hit.rank, hit.beside, what, 0 if entry.status == "current" else _NOT_CURRENT, newest, entry.id


def _called(asked: str) -> tuple[Entry, ...]:
    """Entries of which this, without case and separators, is a name or a hub id; a name goes before an organisation."""
    own = _names().get(asked, ())
    hosted = [entry for entry in _on_hubs().get(asked, ()) if isinstance(entry, Family) or not own]
    return tuple({entry.id: entry for entry in (*own, *hosted)}.values())


@functools.cache
def _names() -> Mapping[str, tuple[Entry, ...]]:
    """Entries by each of their own names, without case and separators."""
    return _index((name, entry) for entry in _everything() for name in (*_titles(entry), *entry.aliases))


@functools.cache
def _on_hubs() -> Mapping[str, tuple[Entry, ...]]:
    """Families by their hub ids, whole and by the last part alone; vendors by their organisations."""
    makers = ((name, row) for row in vendors().values() for name in (*row.hf, *row.ms))
    whole = [(hub_id, row) for row in families().values() for hub_id in (*row.hf, *row.ms)]
    return _index((*makers, *whole, *((hub_id.rpartition("/")[2], row) for hub_id, row in whole)))


def _index(named: Iterable[tuple[str, Entry]]) -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, dict[str, Entry]] = {}
    for name, entry in named:
        if key := plain(name):
            found.setdefault(key, {})[entry.id] = entry
    return {key: tuple(entries.values()) for key, entries in found.items()}


@functools.cache
def _circles() -> tuple[tuple[Entry, str], ...]:
    """Of each entry the words of its names, its vendor's and its kind's, between spaces."""
    makers = {id: " ".join((*_titles(vendor), *vendor.aliases)) for id, vendor in vendors().items()}
    sorts = {id: " ".join((*_titles(kind), *kind.aliases)) for id, kind in kinds().items()}
    circles = []
    for entry in _everything():
        text = " ".join((*_titles(entry), *entry.aliases))
        if isinstance(entry, Family):
            text = f"{text} {makers[entry.vendor]} {sorts[entry.kind]}"
        circles.append((entry, f" {' '.join(_WORDS.findall(_folded(text)))} "))
    return tuple(circles)


def _everything() -> Iterator[Entry]:
    tables: Iterable[Mapping[str, Entry]] = (kinds(), tasks(), vendors(), families(), licences())
    for table in tables:
        yield from table.values()


def _titles(entry: Entry) -> tuple[str, ...]:
    return (entry.id, entry.names.en, entry.names.zh)
