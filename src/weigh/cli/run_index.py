"""`weigh run EMBEDDER --index DIR [--query TEXT|IMAGE] [--rerank MODEL]`: a folder that is searched by meaning."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from weigh.cli.loading import loaded
from weigh.cli.progress import Bar
from weigh.core.errors import BadReference
from weigh.core.schema import SCHEMA
from weigh.core.value import Value
from weigh.core.work import Piece
from weigh.text import Language, safe, say

if TYPE_CHECKING:
    from weigh.app.index import Changed
    from weigh.app.offer import Offer
    from weigh.app.recall import Hit
    from weigh.store.passages import Index

FILE = ".weigh-index.sqlite"


class Search(Value, frozen=True, kw_only=True):
    """What is indexed, what is asked of it, and how it is said. `ranker` gives the model that ranks once more."""

    folder: str
    file: str | None
    question: Piece | None
    top: int
    language: Language
    as_json: bool
    quiet: bool
    ranker: Callable[[], Offer] | None = None


async def search(embedder: Offer, wanted: Search) -> int:
    """Brings the index up to date, then answers. Raises WeighError."""
    from weigh.app.index import bind, refresh
    from weigh.app.recall import recall
    from weigh.store.passages import open_index

    if wanted.ranker is not None and (wanted.question is None or wanted.question.text is None):
        raise BadReference("index.rerank_text")
    ranker = wanted.ranker() if wanted.ranker is not None else None
    if not os.path.isdir(wanted.folder):
        raise BadReference("index.no_folder", path=wanted.folder)
    index = open_index(wanted.file or os.path.join(wanted.folder, FILE))
    bar = Bar(quiet=wanted.quiet or wanted.as_json)
    try:
        bind(index, embedder.name, embedder.chosen.launch.path)
        model = await loaded(embedder, wanted.language, quiet=wanted.quiet)
        try:
            changed = await refresh(model, index, wanted.folder, bar.show)
            hits = await recall(model, index, wanted.question) if wanted.question is not None else None
        finally:
            bar.end()
            await model.close()
        if ranker is not None and hits:
            hits = await _ranked(ranker, wanted, hits)
        _tell(index, changed, hits[: wanted.top] if hits is not None else None, wanted)
    finally:
        index.close()
    return 0


async def _ranked(ranker: Offer, wanted: Search, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    from weigh.app.recall import rerank

    assert wanted.question is not None and wanted.question.text is not None
    model = await loaded(ranker, wanted.language, quiet=wanted.quiet)
    try:
        return await rerank(model, wanted.question.text, hits)
    finally:
        await model.close()


def _tell(index: Index, changed: Changed, hits: tuple[Hit, ...] | None, wanted: Search) -> None:
    if wanted.as_json:
        from weigh.text.document import to_json

        click.echo(to_json(_document(index, changed, hits, wanted), wanted.language))
        return
    if hits is None or not wanted.quiet:
        _tell_changes(index, changed, wanted, to_errors=hits is not None)
    for number, hit in enumerate(hits or (), 1):
        _tell_hit(number, hit, wanted)
    if hits == ():
        click.echo(say("index.nothing", wanted.language), err=True)


def _tell_changes(index: Index, changed: Changed, wanted: Search, *, to_errors: bool) -> None:
    counts = index.counts()
    if to_errors and not (changed.new or changed.changed or changed.gone):
        return
    line = say(
        "index.done",
        wanted.language,
        path=index.path,
        files=counts.files,
        passages=counts.passages,
        new=changed.new,
        changed=changed.changed,
        gone=changed.gone,
        embedded=changed.embedded,
    )
    click.echo(line, err=to_errors)
    if skipped := index.skipped():
        named = ", ".join(_path(path) for path, _ in skipped[:3])
        click.echo(say("index.skipped", wanted.language, count=len(skipped), named=named), err=to_errors)


def _tell_hit(number: int, hit: Hit, wanted: Search) -> None:
    from weigh.app.recall import snippet

    found = hit.found
    place = safe(_path(found.path), longest=400)
    if found.first is not None:
        place += f":{found.first}" if found.first == found.last else f":{found.first}-{found.last}"
    score = hit.rerank if hit.rerank is not None else hit.score
    click.echo(f"{number}. {place}  {score:.4f}")
    if found.text and not wanted.quiet:
        question = wanted.question.text if wanted.question is not None else None
        click.echo(f"   {safe(snippet(found.text, question), longest=400)}")


def _document(index: Index, changed: Changed, hits: tuple[Hit, ...] | None, wanted: Search) -> dict[str, Any]:
    about = {
        "path": index.path,
        "embedder": {"name": index.said("embedder"), "sha256": index.said("sha256")},
        "dimensions": int(index.said("dimensions") or 0) or None,
        "counts": index.counts(),
        "changed": {name: getattr(changed, name) for name in changed.__struct_fields__},
        "skipped": [{"file": _path(path), "reason": reason} for path, reason in index.skipped()],
    }
    document: dict[str, Any] = {"schema": SCHEMA, "index": about}
    return document if hits is None else document | {"results": [_row(hit, wanted) for hit in hits]}


def _row(hit: Hit, wanted: Search) -> dict[str, Any]:
    from weigh.app.recall import snippet

    found = hit.found
    question = wanted.question.text if wanted.question is not None else None
    ranks = {"words": hit.words, "vectors": hit.vectors, "rerank": hit.rerank}
    row: dict[str, Any] = {"file": _path(found.path), "kind": found.kind, "score": hit.score, "ranks": ranks}
    if found.first is not None:
        row |= {"lines": [found.first, found.last], "offset": found.start, "snippet": snippet(found.text, question)}
        row |= {"text": found.text}
    return row


def _path(path: bytes) -> str:
    """As it can be said: what is no UTF-8 in a name is shown as such."""
    return path.decode(sys.getfilesystemencoding(), "backslashreplace")
