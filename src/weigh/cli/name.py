"""`weigh name NAME...`: names taken apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from weigh.cli.options import common, language_of
from weigh.core.schema import SCHEMA
from weigh.names.decode import decode
from weigh.text import Language
from weigh.text.document import to_line


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@common
def name(names: tuple[str, ...], as_json: bool, lang: str | None, offline: bool, quiet: bool) -> int:
    """Take model names apart; `-` reads one a line from standard input and writes JSON, one a line."""
    language = language_of(lang)
    if as_json or "-" in names:
        sys.stdout.writelines(to_line(decode(text), language, schema=SCHEMA) + "\n" for text in _each(names))
    else:
        _show(names, language)
    return 0


def _each(names: tuple[str, ...]) -> Iterator[str]:
    for text in names:
        if text == "-":
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield text


def _show(names: tuple[str, ...], language: Language) -> None:
    from rich.console import Console

    from weigh.text.name import name_lines

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    for text in names:
        console.print(name_lines(decode(text), language))
