"""`weigh REF...` and `weigh inspect`: two cuts of one report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from weigh.cli.options import common, language_of
from weigh.core.finding import SEVERITIES
from weigh.core.report import Report
from weigh.text import Language, complain_about, safe, say

references_argument = click.argument("references", metavar="REF...", nargs=-1, required=True)


def fail_on_option(default: str | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--fail-on`; without a default where a policy may say it."""
    words = "Exit 1 from this severity on (default: high)."
    return click.option("--fail-on", type=click.Choice(SEVERITIES), default=default, help=words)


@click.command()
@references_argument
@fail_on_option("high")
@common
def report(
    references: tuple[str, ...], fail_on: str, as_json: bool, lang: str | None, offline: bool, quiet: bool
) -> int:
    """The whole report on names, files and folders, and what to do next."""
    return _run(references, fail_on, language_of(lang), "json" if as_json else "quiet" if quiet else "text", _whole)


@click.command()
@references_argument
@click.option("--tensors", is_flag=True, help="List every tensor.")
@click.option("--metadata", is_flag=True, help="List every key of the headers.")
@click.option("--tree", is_flag=True, help="Draw the tensors as a tree, layers that are alike folded into one.")
@common
def inspect(
    references: tuple[str, ...],
    tensors: bool,
    metadata: bool,
    tree: bool,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """What the files hold."""
    from weigh.cli.inspect import cut

    return _run(
        references,
        "critical",
        language_of(lang),
        "json" if as_json else "quiet" if quiet else "text",
        lambda whole: cut(whole, tensors=tensors or tree, metadata=metadata),
        tree=tree,
    )


def _run(
    references: tuple[str, ...],
    fail_on: str,
    language: Language,
    form: str,
    cut: Callable[[Report], Report],
    *,
    tree: bool = False,
) -> int:
    from weigh.app.weigh import weigh

    reports = []
    status = 0
    for number, text in enumerate(references):
        whole = weigh(text)
        status = max(status, exit_status(whole, fail_on))
        match form:
            case "json":
                reports.append(cut(whole))
            case "quiet":
                click.echo(quiet_line(whole, language))
            case _:
                show(cut(whole), language, first=number == 0, tree=tree)
    if form == "json":
        from weigh.text.document import to_json

        click.echo(to_json(reports[0] if len(references) == 1 else reports, language))
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


def quiet_line(whole: Report, language: Language) -> str:
    """The verdict alone."""
    text = safe(whole.reference.text)
    if whole.error is not None:
        return f"{text}: {complain_about(whole.error, language)}"
    verdict = whole.verdict or (whole.name.kind if whole.name is not None else "unknown")
    key = f"verdict.{verdict}" if whole.verdict is not None else f"kind.{verdict}"
    return f"{text}: {say(key, language)}"


def show(
    whole: Report,
    language: Language,
    *,
    first: bool,
    tree: bool = False,
    imports: Sequence[tuple[str, str]] = (),
) -> None:
    """On the screen; what could not be done goes to standard error."""
    if whole.error is not None:
        click.echo(f"{safe(whole.reference.text)}: {complain_about(whole.error, language)}", err=True)
        return
    from rich.console import Console

    from weigh.text.show import report_lines

    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 110)
    if not first:
        console.print()
    console.print(report_lines(whole, language, tree=tree, imports=imports))
