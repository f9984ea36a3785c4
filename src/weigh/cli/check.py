"""`weigh check REF...`: safe, whole, true to its name?"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import msgspec

from weigh.cli.options import common, language_of, signatures_file, signed
from weigh.cli.report import How, exit_status, fail_on_option, quiet_line, references_argument, show
from weigh.core.errors import WeighError
from weigh.core.report import Report
from weigh.text import Language, complain

if TYPE_CHECKING:
    from weigh.app.network import Network
    from weigh.app.policy import Policy
    from weigh.app.wish import Weighed, Wish
    from weigh.knowledge.signatures import Signature

SLOW = 1.0  # seconds after which progress is shown


@click.command()
@references_argument
@fail_on_option(None)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), help="How to say it (default: text).")
@click.option("--allow", multiple=True, metavar="MODULE.NAME", help="A name that pickles may import. Repeatable.")
@click.option("--policy", "policy_path", metavar="FILE", help="TOML: levels, formats, licences, names allowed.")
@click.option("--baseline", metavar="FILE", help="Findings that are known and left out.")
@click.option("--write-baseline", metavar="FILE", help="Write the findings of this run as a baseline.")
@click.option("--jobs", type=click.IntRange(1, 256), default=None, help="Files at a time (default: one a core).")
@signed
@common
def check(
    references: tuple[str, ...],
    fail_on: str | None,
    form: str | None,
    allow: tuple[str, ...],
    policy_path: str | None,
    baseline: str | None,
    write_baseline: str | None,
    jobs: int | None,
    signatures: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Safe? Whole? True to its name?"""
    from weigh.app.wish import Wish

    language = language_of(lang)
    try:
        policy, known = _asked(policy_path, baseline)
        own = signatures_file(signatures)
        wish = Wish(
            allow=(*allow, *(policy.allow if policy else ())),
            jobs=jobs or os.cpu_count() or 1,
            signatures=_read(own) if own else (),
        )
        each = _behind_the_wall(references, wish, quiet=quiet, offline=offline)
        done = [_settled(weighed, policy, known) for weighed in each]
        _say(done, "json" if as_json else form or ("quiet" if quiet else "text"), language)
        _keep(write_baseline, [one.report for one in done])
    except WeighError as error:
        click.echo(complain(error, language), err=True)
        return 2
    fail_on = fail_on or (policy.fail_on if policy else None) or "high"
    return max(exit_status(one.report, fail_on) for one in done)


def _asked(policy: str | None, baseline: str | None) -> tuple[Policy | None, frozenset[str]]:
    """What was asked for by files. Raises WeighError."""
    asked: Policy | None = None
    known: frozenset[str] = frozenset()
    if policy:
        from weigh.app.policy import read_policy

        asked = read_policy(policy)
    if baseline:
        from weigh.app.baseline import read_baseline

        known = read_baseline(baseline)
    return asked, known


def _behind_the_wall(references: tuple[str, ...], wish: Wish, *, quiet: bool, offline: bool) -> Iterator[Weighed]:
    from weigh.app.wall import check, prepare

    if len(references) > 1:
        prepare()
    for text in references:
        yield check(text, wish, None if quiet else _progress(), None if offline else _connect)


def _settled(weighed: Weighed, policy: Policy | None, known: frozenset[str]) -> Weighed:
    """As the policy and the baseline have it."""
    report = weighed.report
    if policy is not None or known:
        from weigh.app.policy import Policy, laid_over

        report = laid_over(weighed, policy or Policy(), known)
    return msgspec.structs.replace(weighed, report=msgspec.structs.replace(report, model=None))


def _read(path: str) -> tuple[Signature, ...]:
    from weigh.app.signatures import read_signatures

    return read_signatures(path)


def _keep(path: str | None, reports: list[Report]) -> None:
    if path is not None:
        from weigh.app.baseline import write_baseline

        write_baseline(path, reports)


def _say(done: list[Weighed], form: str, language: Language) -> None:
    reports: list[Report] = [one.report for one in done]
    match form:
        case "json":
            from weigh.text.check import check_document
            from weigh.text.document import to_json

            documents = [check_document(one.report, msgspec.to_builtins(one.imports), language) for one in done]
            click.echo(to_json(documents[0] if len(documents) == 1 else documents, language))
        case "sarif":
            from importlib.metadata import version

            from weigh.text.document import to_json
            from weigh.text.sarif import sarif

            click.echo(to_json(sarif(reports, language, version=version("weigh")), language))
        case "quiet":
            for report in reports:
                click.echo(quiet_line(report, language))
        case _:
            for number, one in enumerate(done):
                report = msgspec.structs.replace(one.report, next_steps=())
                show(
                    report,
                    How(language, "text", offline=True),
                    first=number == 0,
                    imports=[(i.tier, i.name) for i in one.imports],
                )


@contextmanager
def _connect() -> Iterator[Network]:
    """A connection of the child's own, without a word on the screen."""
    from weigh.cli.network import network

    with network("en", shown=False) as (found, _):
        yield found


def _progress() -> Callable[[int, int], None] | None:
    """A line on standard error that counts files, once it takes longer than a second; None where nobody watches."""
    if not sys.stderr.isatty():
        return None
    start = time.monotonic()

    def tell(done: int, number: int) -> None:
        if time.monotonic() - start > SLOW:
            share = "█" * (20 * done // number)
            click.echo(f"\r{share:<20} {done}/{number}" + ("\r\033[K" if done == number else ""), err=True, nl=False)

    return tell
