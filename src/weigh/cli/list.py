"""`weigh list`: every model on this machine, what is there twice, and what may go."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from weigh.cli.options import common, language_of
from weigh.core.errors import WeighError
from weigh.store.inventory import STORES
from weigh.text import Language, complain, say

if TYPE_CHECKING:
    from weigh.app.inventory import Asked, Listed, Surveyed
    from weigh.app.reclaim import Done, Means

Sort = Literal["size", "used", "name"]
SLOW = 1.0  # seconds after which it is said how far it is
EVERY = 100  # files between two words of it
_CLONING = frozenset({"btrfs", "xfs", "bcachefs"})  # file systems that lend blocks


class How(NamedTuple):
    """What is shown, in which order and form."""

    language: Language
    form: Literal["json", "quiet", "text"]
    sort: Sort
    doubles: bool
    broken: bool


@click.command("list")
@click.argument("places", metavar="[DIR...]", nargs=-1)
@click.option("--store", "stores", multiple=True, type=click.Choice([one.id for one in STORES]), help="Repeatable.")
@click.option("--folder", "folders", multiple=True, metavar="DIR", help="Look through this folder too. Repeatable.")
@click.option("--sort", type=click.Choice(["size", "used", "name"]), default="size", show_default=True)
@click.option("--doubles", is_flag=True, help="Show only what is there more than once.")
@click.option("--broken", is_flag=True, help="Show only what is broken or unfinished.")
@click.option("--reclaim", is_flag=True, help="Show what would give room back; nothing is touched.")
@click.option("--yes", "-y", is_flag=True, help="With --reclaim: do it.")
@common
def list_models(
    places: tuple[str, ...],
    stores: tuple[str, ...],
    folders: tuple[str, ...],
    sort: Sort,
    doubles: bool,
    broken: bool,
    reclaim: bool,
    yes: bool,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Every model on this machine, whichever program brought it."""
    from weigh.app.inventory import survey
    from weigh.cli.report import form_of

    how = How(language_of(lang), form_of(as_json, quiet), sort, doubles, broken)
    try:
        if yes and not reclaim:
            raise click.UsageError(say("inventory.yes_alone", how.language))
        asked = _asked(stores, (*places, *folders))
        surveyed = survey(asked, _progress(how))
    except WeighError as error:
        return _fail(error, how)
    return _reclaim(asked, surveyed, how, yes=yes) if reclaim else _show(surveyed, how)


def _asked(stores: tuple[str, ...], folders: tuple[str, ...]) -> Asked:
    from weigh.app.inventory import Asked
    from weigh.cli.folders import inventory_file
    from weigh.cli.stores import all_of

    places = {store.id: all_of(store.places) for store in STORES}
    return Asked(
        places=places,
        folders=tuple(os.path.abspath(os.path.expanduser(folder)) for folder in folders),
        stores=stores,
        rows=inventory_file(),
    )


def _show(surveyed: Surveyed, how: How) -> int:
    from weigh.cli.list_words import document, inventory_lines, total_line

    inventory = surveyed.inventory
    models = sorted(inventory.models, key=_key(how.sort))
    if how.doubles:
        paths = {(copy.store, copy.model) for double in inventory.doubles for copy in double.copies}
        models = [one for one in models if (one.store, one.model) in paths]
    if how.broken:
        models = [one for one in models if one.broken or one.partial]
    if how.form == "json":
        _print(document(inventory, models), how)
    elif how.form == "quiet":
        click.echo(total_line(inventory, how.language))
    else:
        _draw(inventory_lines(inventory, models, how.language, doubles=how.doubles, broken=how.broken))
    return 0


def _reclaim(asked: Asked, surveyed: Surveyed, how: How, *, yes: bool) -> int:
    from weigh.app.reclaim import carry_out, plan
    from weigh.cli.list_words import done_line, done_lines, plan_document, plan_lines, planned_line

    means = _means()
    what = plan(surveyed, means)
    done = carry_out(asked, what, means, _told(how)) if yes else None
    if how.form == "json":
        _print(plan_document(what, done), how)
    elif how.form == "quiet":
        click.echo(planned_line(what, how.language) if done is None else done_line(done, how.language))
    else:
        _draw(plan_lines(what, how.language) if done is None else done_lines(what, done, how.language))
    return 2 if done is not None and any(one.result == "refused" for one in done) else 0


def _fail(error: WeighError, how: How) -> int:
    click.echo(complain(error, how.language), err=True)
    if how.form == "json":
        from weigh.core.schema import SCHEMA

        failure = {key: value for key, value in (("message", error.saying), ("path", error.path)) if value is not None}
        _print({"schema": SCHEMA, "models": [], "error": failure}, how)
    return 2


def _means() -> Means:
    from weigh.app.reclaim import Means
    from weigh.cli.open_files import is_held, kind_at
    from weigh.store.reclaim import reflink

    return Means(time.time, reflink, lambda path: kind_at(path) in _CLONING, is_held)


def _key(sort: Sort) -> Callable[[Listed], tuple[object, ...]]:
    match sort:
        case "size":
            return lambda one: (-one.nbytes, one.store, one.model)
        case "used":
            return lambda one: (-(one.used or 0), one.store, one.model)
        case _:
            return lambda one: (one.model.lower(), one.store)


def _progress(how: How) -> Callable[[int, int], None]:
    """A line on standard error, once it takes longer than a second and somebody watches."""
    start = time.monotonic()
    shown = how.form == "text" and sys.stderr.isatty()

    def tell(done: int, number: int) -> None:
        if shown and (done % EVERY == 0 or done == number) and time.monotonic() - start > SLOW:
            line = say("inventory.reading", how.language, done=done, number=number)
            click.echo(f"\r{line}" + ("\r\033[K" if done == number else ""), err=True, nl=False)

    return tell


def _told(how: How) -> Callable[[Done], None]:
    shown = how.form == "text" and sys.stderr.isatty()

    def tell(done: Done) -> None:
        if shown:
            click.echo(say(f"inventory.result.{done.result}", how.language) + f"  {done.path!a}", err=True)

    return tell


def _print(value: object, how: How) -> None:
    from weigh.text.document import to_json

    sys.stdout.write(to_json(value, how.language) + "\n")


def _draw(lines: object) -> None:
    from rich.console import Console

    Console(highlight=False, width=None if sys.stdout.isatty() else 110).print(lines, soft_wrap=True)
