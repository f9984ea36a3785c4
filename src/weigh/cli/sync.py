"""`weigh catalog sync`: what others publish, kept in the user's data folder beside the shipped tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution

import click
import msgspec

from weigh.app.network import Network
from weigh.app.sync.inquiry import Inquiry, Installed
from weigh.app.sync.keep import read_kept, write_kept
from weigh.app.sync.run import PUBLISHERS, Outcome
from weigh.app.sync.run import sync as run
from weigh.cli.clock import today
from weigh.cli.folders import synced_file
from weigh.cli.network import network
from weigh.core.errors import WeighError
from weigh.core.schema import SCHEMA
from weigh.knowledge.synced import Synced
from weigh.text import Language, complain, complain_about, say

_PACKAGES = {"xinference": ("xinference", "xinference"), "ms-swift": ("ms-swift", "swift")}  # with their folders
_VARIABLES = {"models.dev": "OPENCODE_MODELS_URL", "litellm": "LITELLM_MODEL_COST_MAP_URL"}  # of the stock clients


def sync(sources: tuple[str, ...], language: Language, *, form: str, offline: bool, dry_run: bool) -> int:
    """Hear the sources, show what is not as the table or the last sync has it, keep it; 2 if one could not be had."""
    path = synced_file()
    try:
        before = _before(path, language)
        outcome = _run(sources, before, language, offline=offline, shown=form == "text")
        if outcome.heard and not dry_run:
            write_kept(path, outcome.synced)
    except WeighError as error:
        click.echo(f"weigh catalog sync: {complain(error, language)}", err=True)
        return 2
    written = path if outcome.heard and not dry_run else None
    if form == "json":
        _print_json(outcome, written, language)
    else:
        for _, failure in outcome.failures:
            click.echo(f"weigh catalog sync: {complain_about(failure, language)}", err=True)
    if form == "text":
        _show(outcome, written, language)
    return 2 if outcome.failures or not outcome.heard else 0


def _before(path: str, language: Language) -> Synced | None:
    """What was kept; a file that cannot be read is said to be, and made anew."""
    try:
        return read_kept(path)
    except WeighError as error:
        click.echo(f"weigh catalog sync: {complain(error, language)}", err=True)
        return None


def _run(sources: tuple[str, ...], before: Synced | None, language: Language, *, offline: bool, shown: bool) -> Outcome:
    chosen = [one for one in PUBLISHERS if not sources or one.id in sources]
    inquiry = Inquiry(day=today().isoformat(), addresses=dict(_addresses()), installed=dict(_installed()))
    if offline or not any(one.far for one in chosen):
        return run(inquiry, sources, before)
    with network(language, shown=shown) as (net, _):
        return run(_online(inquiry, net), sources, before)


def _online(inquiry: Inquiry, net: Network) -> Inquiry:
    return msgspec.structs.replace(inquiry, network=net)


def _addresses() -> Iterator[tuple[str, str]]:
    for id, variable in _VARIABLES.items():
        if value := os.environ.get(variable, "").strip().rstrip("/"):
            yield id, value


def _installed() -> Iterator[tuple[str, Installed]]:
    for id, (package, folder) in _PACKAGES.items():
        try:
            found = distribution(package)
        except PackageNotFoundError:
            continue
        path = str(found.locate_file(folder))
        if os.path.isdir(path):
            yield id, Installed(found.version, path)


def _print_json(outcome: Outcome, written: str | None, language: Language) -> None:
    from weigh.text.document import to_json

    heard: list[Mapping[str, object]] = [
        {
            "id": source.source,
            "day": source.day,
            "place": source.place,
            "models": len(source.models),
            "ill": source.ill,
            "whole": source.whole,
        }
        for source in outcome.heard
    ]
    document = {
        "schema": SCHEMA,
        "written": written,
        "sources": heard,
        "failures": [{"id": id, **msgspec.structs.asdict(failure)} for id, failure in outcome.failures],
        "not_installed": outcome.absent,
        "disagreements": outcome.disagreements,
        "changes": outcome.changes,
    }
    sys.stdout.write(to_json(document, language) + "\n")


def _show(outcome: Outcome, written: str | None, language: Language) -> None:
    from rich.console import Console

    from weigh.text.synced import change_lines, disagreement_lines, heard_lines

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(heard_lines(outcome.heard, outcome.absent, language))
    if outcome.disagreements:
        console.print()
        console.print(say("sync.disagree", language, count=len(outcome.disagreements)), style="bold cyan")
        console.print(disagreement_lines(outcome.disagreements, language))
    if outcome.changes:
        console.print()
        console.print(say("sync.changes", language, count=len(outcome.changes)), style="bold cyan")
        console.print(change_lines(outcome.changes, language))
    console.print()
    kept = say("sync.not_kept", language) if written is None else say("sync.written", language, path=written)
    console.print(kept, style="dim")
