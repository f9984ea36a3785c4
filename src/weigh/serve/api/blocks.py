"""An answer as a row of blocks - reasoning, text, calls of tools - that open, grow and close one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from weigh.core.work import Delta, Done, Event, ToolCall

Kind = Literal["reasoning", "text", "call"]


class Block(msgspec.Struct):
    """`text` is what was said in it so far; of a call, its arguments."""

    index: int
    kind: Kind
    text: str = ""
    id: str = ""
    name: str = ""


class Step(msgspec.Struct):
    """What just happened to a block; `piece` is what it grew by."""

    what: Literal["open", "grow", "close"]
    block: Block
    piece: str = ""


class Blocks:
    """Grown event by event."""

    def __init__(self) -> None:
        self.all: list[Block] = []
        self.last: Done = Done()
        self._open: Block | None = None
        self._call: int | None = None

    def take(self, event: Event) -> Iterator[Step]:
        """Each step of it, in order."""
        match event:
            case Delta():
                if event.reasoning:
                    yield from self._grow("reasoning", event.reasoning)
                if event.text:
                    yield from self._grow("text", event.text)
                for call in event.tool_calls:
                    yield from self._called(call)
            case Done():
                self.last = event
                yield from self._close()
            case _:
                return

    @property
    def has_called(self) -> bool:
        """Whether a tool is wanted."""
        return any(block.kind == "call" for block in self.all)

    def _called(self, call: ToolCall) -> Iterator[Step]:
        if self._open is None or self._open.kind != "call" or self._call != call.index:
            self._call = call.index
            yield from self._begin("call", id=call.id or f"call_{call.index}", name=call.name or "")
        yield from self._grow("call", call.arguments)

    def _grow(self, kind: Kind, piece: str) -> Iterator[Step]:
        if self._open is None or self._open.kind != kind:
            yield from self._begin(kind)
        assert self._open is not None
        if piece:
            self._open.text += piece
            yield Step("grow", self._open, piece)

    def _begin(self, kind: Kind, *, id: str = "", name: str = "") -> Iterator[Step]:
        yield from self._close()
        self._open = Block(len(self.all), kind, id=id, name=name)
        self.all.append(self._open)
        yield Step("open", self._open)

    def _close(self) -> Iterator[Step]:
        if self._open is not None:
            yield Step("close", self._open)
            self._open = None


def blocks_of(events: list[Event]) -> Blocks:
    """Of a whole answer."""
    blocks = Blocks()
    for event in events:
        for _ in blocks.take(event):
            pass
    return blocks
