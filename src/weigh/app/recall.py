"""What of an index answers a question: by words and by meaning, fused, and ranked once more by a model that ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from weigh.app.index import vectors
from weigh.codecs.vectors import nearest
from weigh.codecs.words import words
from weigh.core.engine import Running
from weigh.core.errors import EngineError
from weigh.core.value import Value
from weigh.core.work import Fault, Piece, Rerank, Scores
from weigh.store.passages import Found, Index

DEEP = 50  # of each list that are fused, and that are ranked once more
RANK = 60  # of reciprocal rank fusion. Source: https://doi.org/10.1145/1571941.1572114
SNIPPET = 240
Kind = Literal["text", "image"]


class Hit(Value, frozen=True, kw_only=True):
    """A passage, or a picture, with its score and the place it had by words, by meaning, and what a ranking gave."""

    found: Found
    score: float
    words: int | None = None
    vectors: int | None = None
    rerank: float | None = None


async def recall(model: Running, index: Index, question: Piece) -> tuple[Hit, ...]:
    """The best first, DEEP of each kind at most. Raises SourceError, EngineError.

    Pictures and texts are ranked each for itself: a model that embeds both puts them at different distances. Of equals
    those of the question's own kind come first.
    """
    made = await vectors(model, (question,), purpose="query")
    if isinstance(made, Fault):
        raise EngineError("index.fault", detail=made.detail)
    by_words = index.by_words(question.text, DEEP) if question.text is not None else []
    kinds: tuple[Kind, Kind] = ("image", "text") if question.image is not None else ("text", "image")
    near = [[id for id, _ in nearest(made[0], index.vectors(kind, len(made[0])), DEEP)] for kind in kinds]
    scored = fused([by_words, *near])
    found = index.found([id for id, _ in scored])
    by_meaning = {id: rank for ranking in near for rank, id in enumerate(ranking, 1)}
    at_words = {id: rank for rank, id in enumerate(by_words, 1)}
    return tuple(
        Hit(found=found[id], score=score, words=at_words.get(id), vectors=by_meaning.get(id))
        for id, score in scored
        if id in found
    )


async def rerank(model: Running, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The texts in the order of the model; a picture, which it cannot read, keeps its place. Raises EngineError."""
    texts = [hit for hit in hits if hit.found.kind == "text"][:DEEP]
    if not texts:
        return tuple(hits)
    scores: tuple[float, ...] = ()
    async for event in model.run(Rerank(query=question, documents=tuple(hit.found.text for hit in texts))):
        match event:
            case Fault():
                raise EngineError("index.fault", detail=event.detail)
            case Scores():
                scores = event.scores
    if len(scores) != len(texts):
        raise EngineError("index.fault", detail=f"{len(scores)} scores for {len(texts)} texts")
    ranked = [msgspec.structs.replace(hit, rerank=score) for hit, score in zip(texts, scores, strict=True)]
    ranked.sort(key=lambda hit: -(hit.rerank or 0.0))
    order = iter(ranked)
    return tuple(next(order, hit) if hit.found.kind == "text" else hit for hit in hits)


def fused(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Reciprocal rank fusion: each list gives 1 / (RANK + place).

    >>> fused([[7, 8], [8, 9]])[0][0]
    8
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, id in enumerate(ranking, 1):
            scores[id] = scores.get(id, 0.0) + 1 / (RANK + place)
    return sorted(scores.items(), key=lambda one: -one[1])


def snippet(text: str, question: str | None) -> str:
    """A stretch of a passage on one line, around the first word that was asked for."""
    plain = " ".join(text.split())
    if len(plain) <= SNIPPET:
        return plain
    small = plain.casefold()
    asked = sorted(set(words(question or "")), key=len, reverse=True)
    at = next((place for word in asked if (place := small.find(word)) >= 0), 0)
    start = min(max(at - SNIPPET // 3, 0), len(plain) - SNIPPET)
    part = plain[start : start + SNIPPET]
    return f"{'…' if start else ''}{part}{'…' if start + SNIPPET < len(plain) else ''}"
