"""`weigh search QUERY`: one table over both hubs."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Literal

import click

from weigh.cli.options import common, language_of
from weigh.core.errors import BadReference, SourceError, WeighError
from weigh.text import Language, complain, complain_about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weigh.app.hub_search import Found, Wish
    from weigh.core.hardware import Device

_SIZE = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)\s*([KMGTB])(I?B)?", re.IGNORECASE)
_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}
_COUNTS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
MOST = 200


@click.command()
@click.argument("words", metavar="QUERY...", nargs=-1, required=True)
@click.option("--hub", type=click.Choice(["hf", "ms", "all"]), default="all", show_default=True, help="Which to ask.")
@click.option("--task", metavar="TASK", help="As the hubs tag it: text-generation, text-to-image ...")
@click.option("--format", "format_", metavar="FORMAT", help="gguf, safetensors, onnx ...")
@click.option("--max-size", metavar="SIZE", help="14B parameters, or 16GB of weights, at most.")
@click.option("--licence", metavar="CLASS", help="commercial, conditional, or a licence as the hubs tag it.")
@click.option(
    "--sort",
    type=click.Choice(["downloads", "likes", "trending", "updated", "created"]),
    default="downloads",
    show_default=True,
    help="The most first.",
)
@click.option("--limit", type=click.IntRange(1, MOST), default=20, show_default=True, help="Rows at most.")
@click.option("--hashes/--no-hashes", default=True, help="Join what both hubs list the same hashes of (default: yes).")
@common
def search(
    words: tuple[str, ...],
    hub: Literal["hf", "ms", "all"],
    task: str | None,
    format_: str | None,
    max_size: str | None,
    licence: str | None,
    sort: Literal["downloads", "likes", "trending", "updated", "created"],
    limit: int,
    hashes: bool,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Search Hugging Face and ModelScope (魔搭) at once."""
    from weigh.app.hub_search import Wish
    from weigh.cli.report import form_of

    language, form = language_of(lang), form_of(as_json, quiet)
    query = " ".join(words)
    try:
        parameters, nbytes = _most(max_size)
        wish = Wish(
            hubs=("hf", "ms") if hub == "all" else (hub,),
            task=task,
            format=format_,
            licence=licence,
            most_parameters=parameters,
            most_nbytes=nbytes,
            sort=sort,
            limit=limit,
            hashes=hashes,
        )
        found = _found(query, wish, language, offline=offline, shown=form == "text")
    except WeighError as error:
        return _fail(query, error, language, form)
    _show(query, found, language, form)
    return 2 if found.failures else 0


def _most(text: str | None) -> tuple[int | None, int | None]:
    """`14B` and `350M` are parameters, `16GB` and `8GiB` bytes. Raises BadReference."""
    if text is None:
        return None, None
    size = _SIZE.fullmatch(text.strip())
    unit = size[2].upper() if size is not None else ""
    if size is None or (size[3] and unit == "B") or (unit == "G" and not size[3]):
        raise BadReference("search.size", text=text)
    if not size[3]:
        return int(float(size[1]) * _COUNTS[unit]), None
    base = 1024 if size[3].upper() == "IB" else 1000
    return None, int(float(size[1]) * base ** _UNITS[unit])


def _found(query: str, wish: Wish, language: Language, *, offline: bool, shown: bool) -> Found:
    if offline:
        raise SourceError("search.offline")
    from weigh.app.hub_search import search as ask
    from weigh.cli.clock import today
    from weigh.cli.network import network

    with network(language, shown=shown) as (net, _):
        return ask(query, wish, net, _devices, today())


def _devices() -> Sequence[Device]:
    """This machine's."""
    from weigh.app.fit import devices_of
    from weigh.sources.machine import start

    return devices_of((), start)


def _show(query: str, found: Found, language: Language, form: str) -> None:
    from weigh.cli.search_words import document, row_lines, table_of

    for _, failure in found.failures:
        click.echo(f"weigh search: {complain_about(failure, language)}", err=True)
    match form:
        case "json":
            from weigh.text.document import to_json

            click.echo(to_json(document(query, found), language))
        case "quiet":
            for row in found.rows:
                click.echo(row_lines(row)[0])
        case _:
            from rich.console import Console

            console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
            console.print(table_of(found, language))


def _fail(query: str, error: WeighError, language: Language, form: str) -> int:
    click.echo(f"weigh search: {complain(error, language)}", err=True)
    if form == "json":
        from weigh.core.schema import SCHEMA
        from weigh.text.document import to_json

        failure = {"message": error.saying}
        click.echo(to_json({"schema": SCHEMA, "query": query, "results": [], "error": failure}, language))
    return 2
