"""A need in words, Chinese or English, understood by the tables: which task, language, licence, device, size."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from weigh.core.value import Value
from weigh.fit.choice import Heard
from weigh.fit.mentions import mentioned
from weigh.knowledge.catalog import tasks
from weigh.knowledge.needs import NeedRow, needs

_MOST_TEXT = 1000
_MOST_WORD = 40
_CHINESE = r"\u3400-\u9fff"
_AROUND_CHINESE = re.compile(rf"(?<=[{_CHINESE}])\s+|\s+(?=[{_CHINESE}])")
_SEPARATORS = re.compile(r"[\s\-_/:,;()（）、，。！？!?\"']+")
_HAS_CHINESE = re.compile(rf"[{_CHINESE}]")
_TOKENS = re.compile(
    r"(\d+(?:\.\d+)?)\s*(k|m|万|千)?\s*(?:tokens?|context|ctx|上下文|字(?!幕))|(?:context|ctx|上下文)\D{0,6}(\d+)\s*(k|m|万)?"
)
_THOUSANDS = {"": 1, "k": 1000, "m": 1_000_000, "万": 10_000, "千": 1000}
_SIZE = re.compile(r"(?<![\d.a-z])(\d+(?:\.\d+)?)\s?b(?![a-z0-9])")
_MEMORY = re.compile(r"(?<![\d.])(\d{1,4})\s?(?:gib|gb|g)(?![a-z0-9])")
_WEAK = "chat-assistant"  # a word of courtesy beside any other task
_MOST_TASKS = 4


class Asked(Value, frozen=True, kw_only=True):
    """What the options say; None and empty leave it to the words."""

    task: str | None = None
    device: str | None = None
    language: str | None = None
    licence: str | None = None
    context_length: int | None = None
    max_size_b: float | None = None
    kind: str | None = None
    engine: str | None = None
    hub: Literal["hf", "ms"] | None = None


class Understood(Value, frozen=True, kw_only=True):
    """The need by its parts; `heard` says of each how it is known."""

    tasks: tuple[str, ...] = ()
    kind: str | None = None
    field: str | None = None
    takes: str | None = None
    languages: tuple[str, ...] = ()
    licence: str | None = None
    device: str | None = None
    context_length: int | None = None
    max_size_b: float | None = None
    train: Literal["full", "lora", "qlora"] | None = None
    prefer: Literal["speed", "quality", "memory"] | None = None
    hub: Literal["hf", "ms"] | None = None
    engine: str | None = None
    is_of_device: bool = False
    heard: tuple[Heard, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Nothing of it asks for a model; a device alone does where it is all that is said."""
        return not (self.tasks or self.kind or self.field or self.train or self.is_of_device)


class _Hit(NamedTuple):
    start: int
    words: str
    row: NeedRow


def understand(text: str, asked: Asked) -> Understood:
    """What the words say, and the options, which go before them."""
    folded = _folded(text[:_MOST_TEXT])
    mention, rest = mentioned(folded)
    spaced = _AROUND_CHINESE.sub("", _SEPARATORS.sub(" ", rest))
    hits = _hits(spaced)
    memory = _MEMORY.search(rest)
    heard = list(_by_options(asked))
    heard += _by_words(hits, {one.what for one in heard})
    heard += _by_figures(rest, {one.what for one in heard})
    if not asked.device:
        if mention is not None:
            heard.append(Heard(what="device", value=mention.device, origin="words", words=mention.words))
        else:
            heard += _device_like(hits, memory)
    if _HAS_CHINESE.search(text) and not any(one.what == "language" for one in heard) and len(heard) > 0:
        heard.append(Heard(what="language", value="zh", origin="script"))
    named = mention is not None or not text.strip()
    return _understood(_without_courtesy(heard), is_of_device=named and any(one.what == "device" for one in heard))


def task_called(word: str) -> str | None:
    """The task an option names: by its id or by a word for it."""
    return word if word in tasks() else next((hit.row.task for hit in _hits(_folded(word)) if hit.row.task), None)


def language_called(word: str) -> str:
    """The code of a language named in whichever script; other text is taken for a code."""
    named = next((hit.row.languages for hit in _hits(_folded(word)) if hit.row.languages), ())
    return named[0] if named else word.strip().lower()


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _canonical(word: str) -> str:
    return _AROUND_CHINESE.sub("", _SEPARATORS.sub(" ", _folded(word))).strip()


@functools.cache
def _words() -> Mapping[str, NeedRow]:
    """Every word and what it asks for; the names of the catalogue's own tasks among them."""
    found = {
        _canonical(name): NeedRow(id=f"task.{task.id}", words=(name,), task=task.id, source=task.source)
        for task in tasks().values()
        for name in (task.id, task.names.en, task.names.zh, *task.aliases)
    }
    return found | {_canonical(word): row for row in needs() for word in row.words}


@functools.cache
def _by_beginning() -> Mapping[str, tuple[str, ...]]:
    """Words by their first letter, the longest first."""
    found: dict[str, list[str]] = {}
    for word in _words():
        found.setdefault(word[0], []).append(word)
    return {letter: tuple(sorted(words, key=lambda word: (-len(word), word))) for letter, words in found.items()}


def _hits(text: str) -> list[_Hit]:
    """Words that stand in the text, none over another: the longest go first. In the order of the text."""
    every = [(start, word) for start in range(len(text)) for word in _standing(text, start)]
    taken: set[int] = set()
    found = []
    for start, word in sorted(every, key=lambda one: (-len(one[1]), one[0])):
        places = set(range(start, start + len(word)))
        if not places & taken:
            taken |= places
            found.append(_Hit(start, word, _words()[word]))
    return sorted(found)


def _standing(text: str, start: int) -> Iterator[str]:
    for word in _by_beginning().get(text[start], ()):
        if text.startswith(word, start) and _is_whole(text, start, start + len(word)):
            yield word


def _is_whole(text: str, start: int, end: int) -> bool:
    """Latin words end where letters end, or before the `s` of several; Chinese ones anywhere."""
    before = text[start - 1 : start] if text[start].isascii() else ""
    if text[end : end + 1] == "s" and text[end - 1].isalpha():
        end += 1
    after = text[end : end + 1] if text[end - 1].isascii() else ""
    return not (_is_letter(before) or _is_letter(after))


def _is_letter(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _by_options(asked: Asked) -> Iterator[Heard]:
    said = {
        "task": asked.task, "device": asked.device, "licence": asked.licence, "kind": asked.kind,
        "engine": asked.engine, "hub": asked.hub, "context": asked.context_length, "max_size": asked.max_size_b,
    }  # fmt: skip
    yield from (Heard(what=what, value=f"{value}", origin="option") for what, value in said.items() if value)
    if asked.language:
        yield from (
            Heard(what="language", value=language_called(one), origin="option") for one in asked.language.split(",")
        )


def _by_words(hits: list[_Hit], told: set[str]) -> Iterator[Heard]:
    """Of what options do not say: every task and language, of all else the first word that speaks of it."""
    seen: set[tuple[str, str]] = set()
    once = set(told)
    for hit in hits:
        for what, value in _asked_by(hit.row):
            many = what in ("task", "language")
            if what in told or (what, value) in seen or (not many and what in once):
                continue
            seen.add((what, value))
            once.add(what)
            yield Heard(what=what, value=value, origin="words", words=hit.words)


def _asked_by(row: NeedRow) -> Iterator[tuple[str, str]]:
    for what in ("task", "kind", "field", "takes", "licence", "train", "prefer", "hub", "engine"):
        if (value := getattr(row, what)) is not None:
            yield what, value
    for language in row.languages:
        yield "language", language


def _by_figures(text: str, told: set[str]) -> Iterator[Heard]:
    if "context" not in told and (found := _TOKENS.search(text)) is not None:
        figure, unit = (found[1], found[2]) if found[1] else (found[3], found[4])
        value = round(float(figure) * _THOUSANDS[unit or ""])
        if value >= 1000:
            yield Heard(what="context", value=str(value), origin="words", words=found[0].strip())
    if "max_size" not in told and (found := _SIZE.search(text)) is not None and float(found[1]) > 0:
        yield Heard(what="max_size", value=found[1], origin="words", words=found[0].strip())


def _device_like(hits: Iterable[_Hit], memory: re.Match[str] | None) -> Iterator[Heard]:
    """A machine of no name: a laptop, a card with 8 GB; without a figure with what such a thing usually has."""
    figure = int(memory[1]) if memory is not None else None
    machines = [hit for hit in hits if hit.row.device and (figure or not (hit.row.needs_memory or hit.row.is_card))]
    if not machines:
        return
    hit = next((hit for hit in machines if hit.row.is_card), machines[0])
    row = _card_with(figure) if hit.row.is_card and figure is not None else hit.row
    size = figure or row.memory_gb
    words = f"{hit.words} {memory[0]}" if memory is not None else hit.words
    yield Heard(what="device", value=f"{row.device} {size}GB", origin="words", words=words)


def _card_with(figure: int) -> NeedRow:
    """A usual card with that much memory, or the next smaller."""
    cards = sorted((row for row in needs() if row.is_card), key=lambda row: row.memory_gb or 0)
    return next((row for row in reversed(cards) if (row.memory_gb or 0) <= figure), cards[0])


def _without_courtesy(heard: list[Heard]) -> list[Heard]:
    """Chat is a task only where no other is named; so is text that is to be written from what is found."""
    others = [one for one in heard if one.what == "task" and one.value != _WEAK]
    return [one for one in heard if not (others and one.what == "task" and one.value == _WEAK)]


def _understood(heard: list[Heard], *, is_of_device: bool) -> Understood:
    said: dict[str, list[str]] = {}
    for one in heard:
        said.setdefault(one.what, []).append(one.value)
    first = {what: values[0] for what, values in said.items()}
    return Understood(
        tasks=tuple(said.get("task", ()))[:_MOST_TASKS],
        kind=first.get("kind"),
        field=first.get("field"),
        takes=first.get("takes"),
        languages=tuple(said.get("language", ())),
        licence=first.get("licence"),
        device=first.get("device"),
        context_length=int(first["context"]) if "context" in first else None,
        max_size_b=float(first["max_size"]) if "max_size" in first else None,
        train=first.get("train"),  # type: ignore[arg-type]  # the table's own literals
        prefer=first.get("prefer"),  # type: ignore[arg-type]
        hub=first.get("hub"),  # type: ignore[arg-type]
        engine=first.get("engine"),
        is_of_device=is_of_device,
        heard=tuple(heard),
    )
