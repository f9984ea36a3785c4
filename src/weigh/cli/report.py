"""`weigh REF...`, `weigh inspect`, `weigh check`: three cuts of one report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import click
import msgspec

from weigh.cli.options import common, language_of, signatures_file, signed
from weigh.core.errors import WeighError
from weigh.core.finding import SEVERITIES
from weigh.core.report import Report
from weigh.text import Language, complain, complain_about, safe, say

_references = click.argument("references", metavar="REF...", nargs=-1, required=True)
_fail_on = click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="high", show_default=True, help="Exit 1 from this severity on."
)


@click.command()
@_references
@_fail_on
@signed
@common
def report(
    references: tuple[str, ...],
    fail_on: str,
    signatures: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """The whole report on names, files and folders, and what to do next."""
    how = _How(fail_on, language_of(lang), _form(as_json, quiet), signatures_file(signatures))
    return _run(references, how, _whole)


@click.command()
@_references
@click.option("--tensors", is_flag=True, help="List every tensor.")
@click.option("--metadata", is_flag=True, help="List every key of the headers.")
@signed
@common
def inspect(
    references: tuple[str, ...],
    tensors: bool,
    metadata: bool,
    signatures: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """What the files hold."""
    from weigh.cli.inspect import cut

    how = _How("critical", language_of(lang), _form(as_json, quiet), signatures_file(signatures))
    return _run(references, how, lambda whole: cut(whole, tensors=tensors, metadata=metadata))


@click.command()
@_references
@_fail_on
@signed
@common
def check(
    references: tuple[str, ...],
    fail_on: str,
    signatures: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Safe? Whole? True to its name?"""
    how = _How(fail_on, language_of(lang), _form(as_json, quiet), signatures_file(signatures))
    return _run(references, how, _judgement)


class _How(NamedTuple):
    """What the three commands share."""

    fail_on: str
    language: Language
    form: str
    signatures: str | None


def _form(as_json: bool, quiet: bool) -> str:
    return "json" if as_json else "quiet" if quiet else "text"


def _run(references: tuple[str, ...], how: _How, cut: Callable[[Report], Report]) -> int:
    from weigh.app.signatures import read_signatures
    from weigh.app.weigh import weigh

    try:
        own = read_signatures(how.signatures) if how.signatures is not None else ()
    except WeighError as error:
        click.echo(complain(error, how.language), err=True)
        return 2
    reports = []
    status = 0
    for number, text in enumerate(references):
        whole = weigh(text, signatures=own)
        status = max(status, exit_status(whole, how.fail_on))
        match how.form:
            case "json":
                reports.append(cut(whole))
            case "quiet":
                click.echo(_verdict_line(whole, how.language))
            case _:
                _show(cut(whole), how.language, first=number == 0)
    if how.form == "json":
        from weigh.text.document import to_json

        click.echo(to_json(reports[0] if len(references) == 1 else reports, how.language))
    return status


def exit_status(whole: Report, fail_on: str) -> int:
    """2 if broken, incomplete or not done; else 1 from the severity `fail_on` on; else 0."""
    if whole.error is not None or whole.verdict in ("broken", "incomplete"):
        return 2
    limit = SEVERITIES.index(fail_on)
    return int(any(SEVERITIES.index(finding.severity) <= limit for finding in whole.findings))


def _whole(whole: Report) -> Report:
    """Everything but the headers themselves: they are `inspect`'s."""
    from weigh.cli.inspect import cut_headers

    return cut_headers(whole)


def _judgement(whole: Report) -> Report:
    return msgspec.structs.replace(whole, model=None, next_steps=())


def _verdict_line(whole: Report, language: Language) -> str:
    text = safe(whole.reference.text)
    if whole.error is not None:
        return f"{text}: {complain_about(whole.error, language)}"
    verdict = whole.verdict or (whole.name.kind if whole.name is not None else "unknown")
    key = f"verdict.{verdict}" if whole.verdict is not None else f"kind.{verdict}"
    return f"{text}: {say(key, language)}"


def _show(whole: Report, language: Language, *, first: bool) -> None:
    if whole.error is not None:
        click.echo(f"{safe(whole.reference.text)}: {complain_about(whole.error, language)}", err=True)
        return
    from rich.console import Console

    from weigh.text.show import report_lines

    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 110)
    if not first:
        console.print()
    console.print(report_lines(whole, language))
