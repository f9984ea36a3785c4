"""`weigh REF...` and `weigh inspect`: two cuts of one report."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click
import msgspec

from weigh.cli.clock import today
from weigh.cli.options import common, language_of, signatures_file, signed
from weigh.core.errors import WeighError
from weigh.core.finding import SEVERITIES
from weigh.core.report import Failure, Report
from weigh.names.reference import may_be_far
from weigh.text import Language, complain, complain_about, safe, say

if TYPE_CHECKING:
    from weigh.knowledge.signatures import Signature
    from weigh.sources.client import Traffic

LISTS = ("files", "claims", "findings", "skips", "fits", "next_steps")
references_argument = click.argument("references", metavar="REF...", nargs=-1, required=True)


def fail_on_option(default: str | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--fail-on`; without a default where a policy may say it."""
    words = "Exit 1 from this severity on (default: high)."
    return click.option("--fail-on", type=click.Choice(SEVERITIES), default=default, help=words)


@click.command()
@references_argument
@fail_on_option("high")
@click.option("--fit/--no-fit", default=True, help="Say whether it runs on this machine.")
@signed
@common
def report(
    references: tuple[str, ...],
    fail_on: str,
    fit: bool,
    signatures: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """The whole report on names, files, folders and models on hubs, and what to do next."""
    how = How(language_of(lang), form_of(as_json, quiet), offline, signatures=signatures_file(signatures), lists=LISTS)
    return _run(references, fail_on, how, functools.partial(_fitted, language=how.language) if fit else _whole)


@click.command()
@references_argument
@click.option("--tensors", is_flag=True, help="List every tensor.")
@click.option("--metadata", is_flag=True, help="List every key of the headers.")
@click.option("--tree", is_flag=True, help="Draw the tensors as a tree, layers that are alike folded into one.")
@signed
@common
def inspect(
    references: tuple[str, ...],
    tensors: bool,
    metadata: bool,
    tree: bool,
    signatures: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """What the files hold."""
    from weigh.cli.inspect import cut

    how = How(language_of(lang), form_of(as_json, quiet), offline, tree, signatures_file(signatures))
    return _run(references, "critical", how, lambda whole: cut(whole, tensors=tensors or tree, metadata=metadata))


class How(NamedTuple):
    """What the options say of every reference alike; `signatures` is a file that names a company's own formats."""

    language: Language
    form: Literal["json", "quiet", "text"]
    offline: bool
    tree: bool = False
    signatures: str | None = None
    lists: tuple[str, ...] = ("files",)  # keys of JSON that are there even where they are empty


def form_of(as_json: bool, quiet: bool) -> Literal["json", "quiet", "text"]:
    """JSON goes before all."""
    return "json" if as_json else "quiet" if quiet else "text"


def _run(references: tuple[str, ...], fail_on: str, how: How, cut: Callable[[Report], Report]) -> int:
    from weigh.app.signatures import read_signatures

    try:
        own = read_signatures(how.signatures) if how.signatures is not None else ()
    except WeighError as error:
        click.echo(complain(error, how.language), err=True)
        return 2
    reports = []
    status = 0
    for number, text in enumerate(references):
        whole, traffic = weighed(text, how, own)
        status = max(status, exit_status(whole, fail_on))
        match how.form:
            case "json":
                reports.append(cut(whole))
            case "quiet":
                click.echo(quiet_line(whole, how.language))
            case _:
                show(cut(whole), how, first=number == 0)
                _show_traffic(traffic if whole.error is None else None, how.language)
    if how.form == "json":
        from weigh.text.document import filled, to_json

        documents = [filled(one, how.language, how.lists) for one in reports]
        click.echo(to_json(documents[0] if len(documents) == 1 else documents, how.language))
    return status


def weighed(text: str, how: How, own: tuple[Signature, ...] = ()) -> tuple[Report, Traffic | None]:
    """The report, and what it took to fetch; what is here needs no network."""
    from weigh.app.weigh import weigh

    if how.offline or not may_be_far(text):
        return weigh(text, signatures=own), None
    from weigh.cli.network import network

    with network(how.language, shown=how.form == "text") as (net, traffic):
        return weigh(text, net, signatures=own), traffic


def _show_traffic(traffic: Traffic | None, language: Language) -> None:
    if traffic is not None and traffic.requests:
        click.echo()
        click.echo(say("network.fetched", language, requests=traffic.requests, nbytes=traffic.nbytes))


def exit_status(whole: Report, fail_on: str) -> int:
    """2 if broken, incomplete or not done; else 1 from the severity `fail_on` on; else 0."""
    if whole.error is not None or whole.verdict in ("broken", "incomplete"):
        return 2
    limit = SEVERITIES.index(fail_on)
    return int(any(SEVERITIES.index(finding.severity) <= limit for finding in whole.findings))


def _whole(whole: Report) -> Report:
    """Everything but the headers themselves, which are `inspect`'s; with what the catalogue says."""
    from weigh.app.provenance import provenance
    from weigh.cli.inspect import cut_headers

    return msgspec.structs.replace(cut_headers(whole), catalog=provenance(whole, today()))


def _fitted(whole: Report, language: Language) -> Report:
    """The same with what this machine makes of it."""
    from weigh.app.fit import devices_of, with_fits
    from weigh.app.measured import set_right
    from weigh.cli.measured import what_was_measured
    from weigh.sources.machine import start

    found = with_fits(whole, devices_of((), start))
    rows = what_was_measured(language)
    return _whole(msgspec.structs.replace(found, fits=set_right(found.fits, rows)) if rows else found)


def quiet_line(whole: Report, language: Language) -> str:
    """The verdict alone."""
    text = safe(whole.reference.text)
    if whole.error is not None:
        return _complaint(whole, whole.error, language)
    verdict = whole.verdict or (whole.name.kind if whole.name is not None else "unknown")
    key = f"verdict.{verdict}" if whole.verdict is not None else f"kind.{verdict}"
    return f"{text}: {say(key, language)}"


def _complaint(whole: Report, error: Failure, language: Language) -> str:
    """One line that names the reference, and the file where that is another."""
    named = f"{safe(whole.reference.text)}: "
    said = complain_about(error, language)
    return said if error.path == whole.reference.text and error.offset is None else named + said


def show(whole: Report, how: How, *, first: bool, imports: Sequence[tuple[str, str]] = ()) -> None:
    """On the screen; what could not be done goes to standard error."""
    if whole.error is not None:
        click.echo(_complaint(whole, whole.error, how.language), err=True)
        return
    from rich.console import Console

    from weigh.text.show import report_lines

    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 110)
    if not first:
        console.print()
    console.print(report_lines(whole, how.language, tree=how.tree, imports=imports))
