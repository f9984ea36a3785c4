"""`weigh fit REF...`: will it run, how fast, on which device."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from weigh.cli.options import common, language_of
from weigh.core.errors import BadReference
from weigh.core.report import Failure, FitReport
from weigh.core.schema import SCHEMA
from weigh.text import Language, complain_about, safe

if TYPE_CHECKING:
    from weigh.app.fit import Wish


@click.command()
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option("--on", "devices", multiple=True, metavar="DEVICE", help='"2x RTX 4090", "M4 Max 64GB", cpu; repeatable.')
@click.option("--engine", help="llama.cpp, vllm, transformers or mlx.")
@click.option(
    "--context", type=int, metavar="TOKENS", help="Tokens in all (default: 8192 or the model's own, if less)."
)
@click.option("--kv", default="f16", show_default=True, help="Type of the cache: f16, q8_0, q4_0 ...")
@click.option("--parallel", type=int, default=1, show_default=True, help="Sequences at once.")
@click.option("--ubatch", type=int, default=512, show_default=True, help="Tokens of a prompt at once.")
@click.option(
    "--flash-attn/--no-flash-attn", default=True, show_default=True, help="Attention without its scores kept."
)
@click.option("--quant", metavar="LABEL", help="What if it were packed so: Q4_K_M, AWQ, FP8 ...")
@click.option(
    "--exact/--no-exact", default=None, help="Buffers as llama.cpp plans them (default: where it is installed)."
)
@common
def fit(
    references: tuple[str, ...],
    devices: tuple[str, ...],
    engine: str | None,
    context: int | None,
    kv: str,
    parallel: int,
    ubatch: int,
    flash_attn: bool,
    quant: str | None,
    exact: bool | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Will it run here, how fast, with which command."""
    from weigh.app.fit import Wish

    wish = Wish(
        engine=engine,
        context_length=context,
        kv=kv.lower(),
        parallel=parallel,
        ubatch=ubatch,
        flash_attention=flash_attn,
        quant=quant,
        exact=exact,
    )
    language = language_of(lang)
    answers = [_answer(text, devices, wish, offline=offline) for text in references]
    if as_json:
        from weigh.text.document import to_json

        click.echo(to_json(answers[0] if len(answers) == 1 else answers, language))
    else:
        for answer in answers:
            _show(answer, language, quiet=quiet)
    return max(_status(answer) for answer in answers)


def _answer(text: str, devices: tuple[str, ...], wish: Wish, *, offline: bool) -> FitReport:
    from weigh.app.fit import devices_of, fits
    from weigh.cli.report import How, weighed
    from weigh.sources.machine import start

    report, _ = weighed(text, How("en", "json", offline))
    if report.error is not None:
        return FitReport(schema=SCHEMA, reference=report.reference, error=report.error)
    try:
        found = fits(report, devices_of(devices, start), wish)
    except BadReference as error:
        return FitReport(schema=SCHEMA, reference=report.reference, error=Failure(message=error.saying))
    return FitReport(schema=SCHEMA, reference=report.reference, fits=found)


def _status(answer: FitReport) -> int:
    return 2 if answer.error is not None else 0


def _show(answer: FitReport, language: Language, *, quiet: bool) -> None:
    named = safe(answer.reference.text)
    if answer.error is not None:
        click.echo(f"{named}: {complain_about(answer.error, language)}", err=True)
        return
    from rich.console import Console

    from weigh.text.fits import fit_lines, verdict_lines

    if quiet:
        for line in verdict_lines(named, answer.fits, language):
            click.echo(line)
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(fit_lines(named, answer.fits, language))
