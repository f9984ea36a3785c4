"""`weigh fit REF...`: will it run, how fast, on which device."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from weigh.cli.measured import what_was_measured
from weigh.cli.options import common, language_of
from weigh.core.errors import BadReference
from weigh.core.report import Failure, FitReport, Report
from weigh.core.schema import SCHEMA
from weigh.text import Language, complain_about, safe, say

if TYPE_CHECKING:
    from weigh.app.attached import Beside
    from weigh.app.fit import Wish
    from weigh.fit.curve import Curve
    from weigh.fit.purposes import Training
    from weigh.knowledge.measured import Measured


@click.command()
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option("--on", "devices", multiple=True, metavar="DEVICE", help='"2x RTX 4090", "M4 Max 64GB", cpu; repeatable.')
@click.option("--engine", help="llama.cpp, ollama, vllm, transformers or mlx.")
@click.option(
    "--context", type=int, metavar="TOKENS", help="Tokens in all (default: 8192 or the model's own, if less)."
)
@click.option("--kv", default="f16", show_default=True, help="Type of the cache: f16, q8_0 ... or k=q8_0,v=f16.")
@click.option("--parallel", type=int, default=1, show_default=True, help="Sequences at once.")
@click.option("--ubatch", type=int, default=512, show_default=True, help="Tokens of a prompt at once.")
@click.option(
    "--flash-attn/--no-flash-attn", default=True, show_default=True, help="Attention without its scores kept."
)
@click.option("--quant", metavar="LABEL", help="What if it were packed so: Q4_K_M, AWQ, FP8 ...")
@click.option(
    "--exact/--no-exact", default=None, help="Buffers as llama.cpp plans them (default: where it is installed)."
)
@click.option("--train", type=click.Choice(["full", "lora", "qlora"]), help="What training it so would take.")
@click.option("--size", metavar="WxH[xFRAMES]", default="1024x1024", show_default=True, help="Of pictures and video.")
@click.option("--mmproj", metavar="FILE", help="A projector that is loaded beside it.")
@click.option("--draft", metavar="REF", help="A small model that guesses ahead.")
@click.option("--lora", multiple=True, metavar="FILE", help="An adapter; repeatable.")
@click.option("--plot", metavar="FILE.png|svg", help="Memory over context as a picture.")
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
    train: Training | None,
    size: str,
    mmproj: str | None,
    draft: str | None,
    lora: tuple[str, ...],
    plot: str | None,
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
        kv=_types(kv)[0],
        kv_values=_types(kv)[1],
        parallel=parallel,
        ubatch=ubatch,
        flash_attention=flash_attn,
        quant=quant,
        exact=exact,
        train=train,
        size=_sides(size),
    )
    answers = _answered(references, _Asked(devices, wish, _Named(mmproj, draft, lora), offline), language_of(lang))
    _tell(answers, language_of(lang), as_json=as_json, quiet=quiet)
    return max(_draw(plot, answers, language_of(lang)), *(_status(answer) for answer, _ in answers))


def _sides(text: str) -> tuple[int, int, int]:
    """`1280x720x129`; what cannot be read so is refused with the wish as a whole."""
    numbers = [int(part) if part.isdigit() and len(part) < 10 else 0 for part in text.lower().split("x")]
    return (numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 1) if 2 <= len(numbers) <= 3 else (0, 0, 0)


def _tell(
    answers: list[tuple[FitReport, tuple[Curve, ...]]], language: Language, *, as_json: bool, quiet: bool
) -> None:
    if as_json:
        from weigh.text.document import filled, to_json

        found = [filled(answer, language, ("fits",)) for answer, _ in answers]
        click.echo(to_json(found[0] if len(found) == 1 else found, language))
        return
    for answer, curves in answers:
        _show(answer, curves, language, quiet=quiet)


class _Named(NamedTuple):
    """What is loaded beside it, as typed."""

    projector: str | None
    draft: str | None
    adapters: tuple[str, ...]


class _Asked(NamedTuple):
    devices: tuple[str, ...]
    wish: Wish
    beside: _Named
    offline: bool
    measured: tuple[Measured, ...] = ()


def _types(text: str) -> tuple[str, str | None]:
    """`q8_0`, or `k=q8_0,v=f16`; what is neither is refused with the wish as a whole."""
    if "=" not in text and "," not in text:
        return text.lower(), None
    pairs = dict(part.strip().lower().split("=", 1) for part in text.split(",") if "=" in part)
    return (pairs.get("k", "f16"), pairs.get("v", "f16")) if pairs and pairs.keys() <= {"k", "v"} else (text, None)


def _answered(
    references: tuple[str, ...], asked: _Asked, language: Language
) -> list[tuple[FitReport, tuple[Curve, ...]]]:
    asked = asked._replace(measured=what_was_measured(language))
    return [_answer(text, asked) for text in references]


def _answer(text: str, asked: _Asked) -> tuple[FitReport, tuple[Curve, ...]]:
    from weigh.app.fit import curves, devices_of, fits
    from weigh.app.measured import set_right
    from weigh.cli.report import How, weighed
    from weigh.sources.machine import start

    report, _ = weighed(text, How("en", "json", asked.offline))
    if report.error is not None:
        return FitReport(schema=SCHEMA, reference=report.reference, error=report.error), ()
    try:
        meant = devices_of(asked.devices, start)
        beside = _beside(asked)
        found = set_right(fits(report, meant, asked.wish, beside), asked.measured)
        drawn = curves(report, meant, asked.wish, beside)
        return FitReport(schema=SCHEMA, reference=report.reference, fits=found), drawn
    except BadReference as error:
        return FitReport(schema=SCHEMA, reference=report.reference, error=Failure(message=error.saying)), ()


def _beside(asked: _Asked) -> Beside:
    from weigh.app.attached import Beside
    from weigh.cli.report import How, weighed

    def one(text: str) -> Report:
        return weighed(text, How("en", "json", asked.offline))[0]

    named = asked.beside
    return Beside(
        projector=one(named.projector) if named.projector is not None else None,
        draft=one(named.draft) if named.draft is not None else None,
        adapters=tuple(one(text) for text in named.adapters),
    )


def _draw(path: str | None, answers: list[tuple[FitReport, tuple[Curve, ...]]], language: Language) -> int:
    """Write the picture, if any; 2 where it cannot be."""
    from weigh.text.plot import picture

    if path is None:
        return 0

    drawn = [(safe(answer.reference.text), curves) for answer, curves in answers if curves]
    title = ", ".join(name for name, _ in drawn)
    try:
        content = picture(path, title, [curve for _, curves in drawn for curve in curves], language)
        with open(path, "wb") as file:
            file.write(content)
    except BadReference as error:
        click.echo(complain_about(Failure(message=error.saying), language), err=True)
        return 2
    except OSError as error:
        click.echo(say("error.fit.unwritten", language, path=path, problem=error.strerror or ""), err=True)
        return 2
    return 0


def _status(answer: FitReport) -> int:
    return 2 if answer.error is not None else 0


def _show(answer: FitReport, curves: tuple[Curve, ...], language: Language, *, quiet: bool) -> None:
    named = safe(answer.reference.text)
    if answer.error is not None:
        click.echo(f"{named}: {complain_about(answer.error, language)}", err=True)
        return
    from rich.console import Console

    from weigh.text.fits import curve_lines, fit_lines, verdict_lines

    if quiet:
        for line in verdict_lines(named, answer.fits, language):
            click.echo(line)
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(fit_lines(named, answer.fits, language))
    for row in curve_lines(curves[0], language) if curves else ():
        console.print(row)
