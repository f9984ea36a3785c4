"""`weigh choose [NEED]`: which kind, which model, which file, and the commands to start it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from weigh.cli.measured import what_was_measured
from weigh.cli.options import common, language_of
from weigh.core.errors import BadReference
from weigh.core.report import Failure
from weigh.core.schema import SCHEMA
from weigh.text import Language, complain_about, say

if TYPE_CHECKING:
    from weigh.app.need import Asked
    from weigh.fit.choice import Chosen
    from weigh.knowledge.measured import Measured

LISTS = ("need", "kinds", "choices", "excluded")


@click.command()
@click.argument("words", metavar="[NEED]", nargs=-1)
@click.option("--task", help="What it is for: code, ocr, translation ..., or a word for it in either language.")
@click.option("--on", "device", metavar="DEVICE", help='"2x RTX 4090", "M4 Max 64GB", cpu (default: this machine).')
@click.option("--language", metavar="CODE", help="Languages that it must know: zh, or zh,en.")
@click.option("--licence", metavar="CLASS", help="commercial, conditional, or the name of a licence.")
@click.option("--context", type=click.IntRange(1, 1 << 28), metavar="TOKENS", help="Tokens that it must take in.")
@click.option("--max-size", type=click.FloatRange(0.001, 1e5), metavar="B", help="Parameters at most, in billions.")
@click.option("--kind", help="Models of this kind alone: llm, embedding, rerank ...")
@click.option("--engine", help="llama.cpp, ollama, vllm, transformers, mlx or diffusers.")
@click.option("--hub", type=click.Choice(["hf", "ms"]), help="Only what this hub has.")
@click.option("--limit", type=int, default=3, show_default=True, help="Models a step at most.")
@common
def choose(
    words: tuple[str, ...],
    task: str | None,
    device: str | None,
    language: str | None,
    licence: str | None,
    context: int | None,
    max_size: float | None,
    kind: str | None,
    engine: str | None,
    hub: Literal["hf", "ms"] | None,
    limit: int,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Say which kind of model a need takes, which model of open weights, which file, and how to start it."""
    from weigh.app.need import Asked

    asked = Asked(
        task=task,
        device=device,
        language=language,
        licence=licence,
        context_length=context,
        max_size_b=max_size,
        kind=kind,
        engine=engine,
        hub=hub,
    )
    chosen = _chosen(" ".join(words), asked, limit, what_was_measured(language_of(lang)))
    _tell(chosen, language_of(lang), "json" if as_json else "quiet" if quiet else "text")
    return 2 if chosen.error is not None else 0


def _chosen(need: str, asked: Asked, limit: int, measured: Sequence[Measured]) -> Chosen:
    from weigh.app.choose import choose as look_for
    from weigh.fit.choice import Chosen
    from weigh.sources.machine import start

    try:
        return look_for(need, asked, limit=limit, run=start, measured=measured)
    except BadReference as error:
        return Chosen(schema=SCHEMA, query=need or None, error=Failure(message=error.saying))


def _tell(chosen: Chosen, language: Language, form: Literal["json", "quiet", "text"]) -> None:
    if form == "json":
        from weigh.text.document import filled, to_json

        click.echo(to_json(filled(chosen, language, LISTS), language))
    elif chosen.error is not None:
        click.echo(f"weigh choose: {complain_about(chosen.error, language)}", err=True)
    elif not chosen.kinds:
        click.echo(say("choose.nothing", language))
    elif form == "quiet":
        for choice in chosen.choices:
            click.echo(choice.id)
    else:
        from rich.console import Console

        from weigh.text.choices import chosen_lines

        console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
        console.print(chosen_lines(chosen, language))
