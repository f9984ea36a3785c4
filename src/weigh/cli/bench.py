"""`weigh bench REF`: measured speed beside the predicted."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from weigh.cli.bring import Brought, Wanted, bring
from weigh.cli.folders import measured_file
from weigh.cli.loading import loaded
from weigh.cli.measured import today, what_was_measured
from weigh.cli.options import common, language_of
from weigh.cli.progress import Bar
from weigh.cli.run_input import size_of
from weigh.core.errors import BadReference, WeighError
from weigh.core.finding import SEVERITIES, Severity
from weigh.core.schema import SCHEMA
from weigh.core.value import Value
from weigh.core.work import WORKS, Work
from weigh.text import Language, complain, safe, say

if TYPE_CHECKING:
    from weigh.app.bench import Figure, Size
    from weigh.app.offer import Offer
    from weigh.app.run import Asked
    from weigh.core.fit import Fit, Speed
    from weigh.knowledge.measured import Pace

LONG = 128  # words of a prompt that is long enough to tell how fast prompts are read


class Options(Value, frozen=True, kw_only=True):
    """Each option of the command, as given."""

    work: Work | None
    runs: int
    prompt: int
    tokens: int
    steps: int | None
    size: str | None
    save: bool
    yes: bool
    device_name: str | None
    engine: str | None
    device: str | None
    context: int | None
    n_gpu_layers: int | None
    threads: int | None
    allow_pickle: bool | None
    fail_on: Severity


class How(NamedTuple):
    """How it is said, and whether it is kept."""

    language: Language
    as_json: bool
    quiet: bool
    save: bool


class Result(NamedTuple):
    """What was measured, of what, and where what was predicted is from; `raw` is what the closed form alone says."""

    offer: Offer
    work: Work
    figures: tuple[Figure, ...]
    fit: Fit | None
    raw: Fit | None
    runs: int
    prompt: int


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--work", type=click.Choice(WORKS), help="What to measure (default: what the model is for).")
@click.option(
    "--runs", type=click.IntRange(1, 1000), default=5, show_default=True, help="So many, after one to warm up."
)
@click.option("--prompt", type=click.IntRange(1, 1 << 20), default=256, show_default=True, help="Words of the prompt.")
@click.option("--tokens", type=click.IntRange(2, 1 << 16), default=64, show_default=True, help="Tokens of the answer.")
@click.option("--steps", type=click.IntRange(1, 1000), help="Steps of a diffusion model.")
@click.option("--size", metavar="WxH", help="Of a picture or a film.")
@click.option("--save", is_flag=True, help="Keep it: later predictions for this machine are set right by it.")
@click.option("--yes", "-y", is_flag=True, help="Pull a model that is not here without asking.")
@click.option("--on", "device_name", metavar="DEVICE", help="Which of this machine's devices does the work.")
@click.option("--engine", help="Which engine runs it.")
@click.option("--device", help="Where: cpu, cuda, mps ...")
@click.option("--context", type=click.IntRange(1, 1 << 28), metavar="TOKENS", help="Tokens of context.")
@click.option("--gpu-layers", "n_gpu_layers", type=int, help="Layers on the accelerator.")
@click.option("--threads", type=int, help="Of the processor.")
@click.option("--allow-pickle", is_flag=True, default=None, help="Weights that are a pickle, after a clean check.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="high", show_default=True, help="What holds it back.")
@common
def bench(reference: str, as_json: bool, lang: str | None, offline: bool, quiet: bool, **options: object) -> int:
    """Measure how fast a model is here, beside what fit predicts."""
    asked = msgspec.convert(options, Options)
    how = How(language_of(lang), as_json, quiet, asked.save)
    try:
        found = bring(reference, Wanted(how.language, offline, asked.yes, quiet))
        result = _measure(found, asked, how)
        kept = _save(result) if asked.save else None
    except WeighError as error:
        click.echo(complain(error, how.language), err=True)
        if as_json:
            _tell_error(error, how.language)
        return 2
    _tell(result, kept, how)
    return 0


def _tell_error(error: WeighError, language: Language) -> None:
    from weigh.text.document import to_json

    click.echo(to_json({"schema": SCHEMA, "error": {"message": error.saying, "path": error.path}}, language))


def _measure(found: Brought, options: Options, how: How) -> Result:
    from weigh.app.bench import Size, beside
    from weigh.app.measured import set_right
    from weigh.app.offer import name_of, offered, refuse_unfit
    from weigh.app.predicted import predicted
    from weigh.sources.machine import start

    asked = _asked(options)
    offer = offered(found.path, asked, start, name=name_of(found.text))
    refuse_unfit(offer)
    work = asked.work or offer.chosen.launch.works[0]
    raw = predicted(found.path, offer.chosen.launch, options.device_name, start)
    if how.save and (raw is None or raw.speed is None):
        raise BadReference("bench.nothing_predicted")
    rows = what_was_measured(how.language)
    fit = set_right((raw,), rows)[0] if raw is not None else None
    width, height = size_of(options.size)
    size = Size(
        runs=options.runs,
        prompt=options.prompt,
        tokens=options.tokens,
        steps=options.steps,
        width=width,
        height=height,
    )
    figures = asyncio.run(_run(offer, work, size, how))
    return Result(offer, work, beside(figures, fit), fit, raw, size.runs, size.prompt)


def _asked(options: Options) -> Asked:
    from weigh.app.run import Asked

    return Asked(
        work=options.work,
        engine=options.engine,
        context_length=options.context,
        n_gpu_layers=options.n_gpu_layers,
        threads=options.threads,
        device=options.device,
        allow_pickle=options.allow_pickle,
        fail_on=options.fail_on,
    )


async def _run(offer: Offer, work: Work, size: Size, how: How) -> tuple[Figure, ...]:
    from weigh.app.bench import bench as measure

    bar = Bar(quiet=how.quiet or how.as_json)
    model = await loaded(offer, how.language, quiet=how.quiet)
    try:
        return await measure(model, work, size, time.perf_counter, bar.show)
    finally:
        bar.end()
        await model.close()


def _save(result: Result) -> str:
    from weigh.app.measured import keep, read_measured
    from weigh.knowledge.measured import Measured

    raw = result.raw
    assert raw is not None and raw.speed is not None
    paces = dict(_paces(result, raw.speed))
    row = Measured(
        device=raw.device,
        engine=raw.engine,
        model=safe(result.offer.name),
        weights=raw.memory.weights,
        day=today().isoformat(),
        runs=result.runs,
        decode=paces.get("decode"),
        prefill=paces.get("prefill"),
    )
    path = measured_file()
    keep(path, row, read_measured(path).rows)
    return path


def _paces(result: Result, speed: Speed) -> Iterator[tuple[str, Pace]]:
    """Those that tell of other models too: a short prompt is read in the time that any answer takes."""
    from weigh.knowledge.measured import Pace, can_be

    said = {"decode": speed.decode, "prefill": speed.prefill if result.prompt >= LONG else None}
    for one in result.figures:
        if (foretold := said.get(one.name)) is not None:
            pace = Pace(predicted=foretold.typical, low=one.low, median=one.median, high=one.high)
            if can_be(pace):
                yield one.name, pace


def _tell(result: Result, kept: str | None, how: How) -> None:
    if how.as_json:
        from weigh.text.document import to_json

        click.echo(to_json(_document(result, kept), how.language))
        return
    from rich.console import Console

    from weigh.text.bench import figure_lines

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    if not how.quiet:
        place = result.fit.device if result.fit is not None else None
        engine = result.offer.chosen.launch.engine
        key = "bench.head" if place is None else "bench.head_on"
        click.echo(say(key, how.language, name=result.offer.name, engine=engine, runs=result.runs, **_on(place)))
    console.print(figure_lines(result.figures, how.language))
    if result.fit is not None and result.fit.basis.startswith("measured.") and not how.quiet:
        click.echo(say("bench.set_right", how.language))
    if kept is not None:
        click.echo(say("bench.kept", how.language, path=kept))


def _on(place: str | None) -> dict[str, str]:
    return {} if place is None else {"device": place}


def _document(result: Result, kept: str | None) -> dict[str, object]:
    fit = result.fit
    return {
        "schema": SCHEMA,
        "reference": result.offer.name,
        "engine": result.offer.chosen.launch.engine,
        "work": result.work,
        "device": fit.device if fit is not None else None,
        "basis": fit.basis if fit is not None else None,
        "runs": result.runs,
        "figures": result.figures,
        "saved": kept,
    }
