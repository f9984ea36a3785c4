"""`weigh explain [TERM]...`: what a suffix, a quantisation or a format means."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from weigh.app.explain import contents, nearest
from weigh.app.explain import explain as look_up
from weigh.cli.options import common, language_of
from weigh.core.explanation import Explanation
from weigh.core.schema import SCHEMA
from weigh.text import Language
from weigh.text.document import to_json
from weigh.text.pages import document, document_of_unknown, paragraphs, unknown

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("terms", metavar="[TERM]...", nargs=-1)
@common
def explain(terms: tuple[str, ...], as_json: bool, lang: str | None, offline: bool, quiet: bool) -> int:
    """Explain a part of a model's name or a format; alone, list every term. `weigh explain formats` compares them."""
    language = language_of(lang)
    found = {term: look_up(term) for term in terms}
    if as_json:
        _print_json(found, language)
    elif terms:
        _show([explanation for explanation in found.values() if explanation is not None], language, quiet=quiet)
    else:
        _show_contents(language)
    for term, explanation in found.items():
        if explanation is None:
            click.echo(f"weigh explain: {unknown(term, nearest(term), language)}", err=True)
    return 2 if None in found.values() else 0


def _print_json(found: Mapping[str, Explanation | None], language: Language) -> None:
    documents = [
        document(explanation) if explanation is not None else document_of_unknown(term, nearest(term))
        for term, explanation in found.items()
    ]
    listed = {"schema": SCHEMA, "terms": contents()}
    whole = listed if not documents else documents[0] if len(documents) == 1 else documents
    sys.stdout.write(to_json(whole, language) + "\n")


def _show(known: list[Explanation], language: Language, *, quiet: bool) -> None:
    from weigh.text.explanation import explanation_lines

    if quiet:
        for explanation in known:
            click.echo(next(iter(paragraphs(explanation, language).values())))
        return
    console = _console()
    for at, explanation in enumerate(known):
        if at:
            console.print()
        console.print(explanation_lines(explanation, language, width=console.width))


def _show_contents(language: Language) -> None:
    from weigh.text.explanation import contents_lines

    _console().print(contents_lines(contents(chinese=language == "zh"), language))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 110)
