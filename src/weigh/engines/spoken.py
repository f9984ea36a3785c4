"""A model's raw text as it comes, told apart: what is said, what is thought, what calls a tool, and where it stops."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal

from weigh.core.work import Delta, ToolCall

Way = Literal["text", "reasoning", "tool"]
# What opens and closes a stretch of another kind, as the templates of these families write it.
_OPENS: dict[str, tuple[Way, str]] = {
    "<think>": ("reasoning", "</think>"),
    "<tool_call>": ("tool", "</tool_call>"),
    "[TOOL_CALLS]": ("tool", "\0"),  # to the end
}


def hidden(special: Mapping[int, str], stop: tuple[str, ...] = ()) -> frozenset[int]:
    """Of a tokenizer's special tokens those that are no part of an answer: all but the signs of thoughts and tools,
    and those that end it.

    >>> sorted(hidden({0: "<pad>", 2: "<|user|>", 7: "<think>", 8: "</think>"}, stop=("<|user|>",)))
    [0]
    """
    kept = {*stop, *_OPENS, *(close for _, close in _OPENS.values())}
    return frozenset(token for token, text in special.items() if text not in kept)


class Spoken:
    """Fed with text in pieces of any size; holds back only what may still turn out to be a sign.

    >>> spoken = Spoken(stop=("END",))
    >>> [delta.text for piece in ("hello E", "N", "D and more") for delta in spoken.feed(piece)]
    ['hello ']
    >>> spoken.is_stopped
    True
    """

    def __init__(self, *, stop: tuple[str, ...] = (), tools: bool = False) -> None:
        self.is_stopped = False
        self.stopped_by: str | None = None
        self.calls = 0
        self._stop = tuple(text for text in stop if text)
        self._opens = {sign: way for sign, way in _OPENS.items() if tools or way[0] != "tool"}
        self._way: Way = "text"
        self._close = ""
        self._held = ""

    def feed(self, piece: str) -> Iterator[Delta]:
        """What is certain by now."""
        self._held += piece
        while not self.is_stopped and (delta := self._take()) is not None:
            if delta != Delta():
                yield delta

    def flush(self) -> Iterator[Delta]:
        """The rest, when nothing more comes."""
        rest, self._held = self._held, ""
        if not self.is_stopped and (delta := self._told(rest)) != Delta():
            yield delta

    def _take(self) -> Delta | None:
        """The next stretch up to a sign; None when more must come first."""
        found = min((at for sign in self._signs() if (at := self._held.find(sign)) >= 0), default=-1)
        if found >= 0:
            sign = next(sign for sign in self._signs() if self._held.startswith(sign, found))
            said, self._held = self._held[:found], self._held[found + len(sign) :]
            delta = self._told(said)
            self._turn(sign)
            return delta
        if self._way == "tool":
            return None  # told whole, or not at all
        kept = max((overlap(self._held, sign) for sign in self._signs()), default=0)
        said, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return self._told(said) if said else None

    def _signs(self) -> tuple[str, ...]:
        if self._way != "text":
            return (self._close,)
        return (*self._stop, *self._opens)

    def _turn(self, sign: str) -> None:
        if self._way != "text":
            self._way = "text"
        elif sign in self._stop:
            self.is_stopped, self.stopped_by = True, sign
        else:
            self._way, self._close = self._opens[sign]

    def _told(self, said: str) -> Delta:
        if self._way == "reasoning":
            return Delta(reasoning=said)
        if self._way == "text" or not said.strip():
            return Delta(text=said)
        calls = tuple(self._call(one) for one in _calls(said))
        return Delta(tool_calls=calls) if calls else Delta(text=said)

    def _call(self, called: tuple[str, str]) -> ToolCall:
        index, self.calls = self.calls, self.calls + 1
        return ToolCall(index=index, id=f"call_{index}", name=called[0], arguments=called[1])


def until_stopped(pieces: list[str], stop: tuple[str, ...]) -> tuple[list[str], str | None]:
    """As much of them as comes before the first sign, and that sign.

    >>> until_stopped(["one ", "two ", "three"], ("wo th", "zzz"))
    (['one ', 't'], 'wo th')
    """
    text = "".join(pieces)
    found = [(at, sign) for sign in stop if sign and (at := text.find(sign)) >= 0]
    if not found:
        return pieces, None
    room, sign = min(found)
    said: list[str] = []
    for piece in pieces:
        if room <= 0:
            break
        said.append(piece[:room])
        room -= len(piece)
    return said, sign


def overlap(text: str, sign: str) -> int:
    """How many characters at the end of `text` may be the beginning of `sign`."""
    return next((n for n in range(min(len(text), len(sign) - 1), 0, -1) if text.endswith(sign[:n])), 0)


def _calls(said: str) -> list[tuple[str, str]]:
    """Name and arguments of each call; nothing where it is not JSON of that shape."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return []
    return [
        (one["name"], json.dumps(one.get("arguments", one.get("parameters", {})), ensure_ascii=False))
        for one in (found if isinstance(found, list) else [found])
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]
