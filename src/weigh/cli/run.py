"""`weigh run REF [INPUT]`: a model made to answer, draw, speak or hear, once it is weighed and checked."""

from __future__ import annotations

import asyncio
import functools
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from weigh.cli.bring import Wanted, bring
from weigh.cli.loading import loaded
from weigh.cli.numbers import COUNT, SEED, SHARE, Number
from weigh.cli.options import common, language_of
from weigh.cli.run_input import TOP, Options, given_of, next_line, question_of
from weigh.cli.run_sections import RunCommand
from weigh.core.engine import Running
from weigh.core.errors import BadReference, WeighError
from weigh.core.finding import SEVERITIES
from weigh.core.schema import SCHEMA
from weigh.core.work import WORKS, Fault, Job, Message, Piece, Work
from weigh.text import Language, complain, say

if TYPE_CHECKING:
    from weigh.app.ask import Given
    from weigh.app.offer import Offer
    from weigh.cli.run_output import Output, Told


class How(NamedTuple):
    """How it is said."""

    language: Language
    as_json: bool
    quiet: bool
    wanted: Wanted


@click.command(cls=RunCommand)
@click.argument("reference", metavar="REF")
@click.argument("input_text", metavar="[INPUT]", required=False)
@click.option("--work", type=click.Choice(WORKS), help="What to do with it (default: what the model is for).")
@click.option(
    "--out", metavar="FILE", help="Where the answer goes; the suffix says in which form, - is standard output."
)
@click.option("--system", metavar="TEXT|FILE", help="A chat's system prompt.")
@click.option("--json-schema", "schema", metavar="FILE|JSON", help="The answer is JSON that satisfies this schema.")
@click.option("--fim", "suffix", metavar="TEXT|FILE", help="Fill in between INPUT and this text.")
@click.option("--thinking/--no-thinking", default=None, help="Whether a model that can reasons first.")
@click.option("--max-tokens", type=COUNT, help="The longest answer.")
@click.option("--temperature", type=Number(0, 100), help="0 takes the likeliest token always.")
@click.option("--top-p", type=Number(0, 1, min_open=True), help="Only tokens that together are so likely.")
@click.option("--seed", type=SEED, help="The same seed gives the same answer, picture or sound.")
@click.option("--stop", multiple=True, metavar="TEXT", help="Where the answer ends; repeatable.")
@click.option("--image", metavar="FILE|URL", help="A picture to look at, to start from or to change.")
@click.option("--mask", metavar="FILE|URL", help="What is white here is drawn anew.")
@click.option("--audio", metavar="FILE|URL", help="A sound to listen to.")
@click.option("--document", "documents", multiple=True, metavar="TEXT", help="To rank or to embed; repeatable.")
@click.option("--documents", "documents_file", metavar="FILE", help="The same, one a line.")
@click.option("--label", "labels", multiple=True, metavar="TEXT", help="A class to try; repeatable.")
@click.option("--threshold", type=SHARE, default=0.5, show_default=True, help="The least score of what is detected.")
@click.option("--top", type=COUNT, help="So many classes (default: 5), documents or passages.")
@click.option("--dimensions", type=COUNT, help="So many numbers of each vector.")
@click.option("--language", metavar="CODE", help="What is spoken: en, zh ...")
@click.option("--translate", is_flag=True, help="What is said, in English.")
@click.option("--srt", is_flag=True, help="What is said, as subtitles.")
@click.option("--voice", help="Who speaks.")
@click.option("--speed", type=Number(0.05, 20), help="How fast.")
@click.option("--negative", metavar="TEXT", help="What should not be in it.")
@click.option("--size", metavar="WxH", help="Of a picture or a film.")
@click.option("--steps", type=click.IntRange(1, 10_000), help="Steps of a diffusion model.")
@click.option("--guidance", type=Number(0, 1000), help="How closely it keeps to the words.")
@click.option("--strength", type=SHARE, help="How much of the picture may change, 0 to 1.")
@click.option("--count", type=click.IntRange(1, 64), default=1, show_default=True, help="So many pictures.")
@click.option("--seconds", type=Number(0, 3600, min_open=True), help="Of sound.")
@click.option("--frames", type=click.IntRange(1, 10_000), help="Of a film.")
@click.option("--fps", type=click.IntRange(1, 240), help="Frames a second.")
@click.option("--engine", help="Which engine runs it.")
@click.option("--device", help="Where: cpu, cuda, mps ...")
@click.option("--context", type=click.IntRange(1, 1 << 28), metavar="TOKENS", help="Tokens of context.")
@click.option("--gpu-layers", "n_gpu_layers", type=click.IntRange(0, 100_000), help="Layers on the accelerator.")
@click.option("--kv", help="Type of the cache: f16, q8_0 ...")
@click.option("--threads", type=click.IntRange(1, 4096), help="Of the processor.")
@click.option("--projector", metavar="FILE", help="The mmproj file that makes pictures into tokens.")
@click.option("--address", metavar="URL", help="Of a server that runs already: --engine vllm --address http://...")
@click.option("--name", metavar="NAME", help="What the model is called there.")
@click.option("--allow-pickle", is_flag=True, default=None, help="Weights that are a pickle, after a clean check.")
@click.option("--trust-remote-code", is_flag=True, default=None, help="Run code that lies beside the weights.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="high", show_default=True, help="What holds it back.")
@click.option("--policy", metavar="FILE", help="TOML: what it does not allow is not run.")
@click.option("--anyway", is_flag=True, help="Run it though it does not fit this machine.")
@click.option("--yes", "-y", is_flag=True, help="Pull a model that is not here without asking.")
@click.option("--index", metavar="DIR", help="Make a folder searchable: texts, tables, and pictures by CLIP.")
@click.option("--query", metavar="TEXT|FILE", help="Search it, by a text or a picture.")
@click.option("--rerank", metavar="REF", help="A model that ranks what was found once more.")
@click.option("--index-file", metavar="FILE", help="Where the index is (default: .weigh-index.sqlite in DIR).")
@common
def run(
    reference: str,
    input_text: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
    yes: bool,
    **options: object,
) -> int:
    """Make a model answer.

    \b
    INPUT: a text, a file of text, a picture or a sound, or - for standard input; without it, a chat.
    Exit status: 0 it answered; 2 it could not, or is held back; 130 interrupted.
    """
    language = language_of(lang)
    how = How(language, as_json, quiet, Wanted(language, offline, yes, quiet))
    try:
        asked = msgspec.convert(options, Options)
        if asked.index is not None:
            return _search(reference, asked.query if asked.query is not None else input_text, asked, how)
        if asked.query is not None or asked.rerank is not None or asked.index_file is not None:
            raise BadReference("index.wanting")
        return _answer(reference, input_text, asked, how)
    except WeighError as error:
        click.echo(complain(error, language), err=True)
        if as_json:
            _tell_error(error, language)
        return 2


def _tell_error(error: WeighError, language: Language) -> None:
    from weigh.text.document import to_json

    click.echo(to_json({"schema": SCHEMA, "error": {"message": error.saying, "path": error.path}}, language))


def _answer(reference: str, input_text: str | None, asked: Options, how: How) -> int:
    from weigh.cli.run_files import place_of
    from weigh.cli.run_output import Output

    if asked.suffix is not None and asked.work is None:
        asked = msgspec.structs.replace(asked, work="complete")
    given = given_of(input_text, asked, offline=how.wanted.offline)
    offer = _offer(reference, asked, how)
    work = asked.work or offer.chosen.launch.works[0]
    output = Output(
        language=how.language,
        name=offer.name,
        as_json=how.as_json,
        quiet=how.quiet,
        is_srt=asked.srt,
        top=asked.top,
        place=place_of(asked.out, work, offer.name, as_json=how.as_json),
    )
    with asyncio.Runner() as runner:
        return _run(runner, offer, work, given, output)


def _offer(reference: str, options: Options, how: How) -> Offer:
    from weigh.app.offer import name_of, offered, refuse_unfit
    from weigh.app.policy import read_policy
    from weigh.app.run import Asked
    from weigh.sources.machine import start

    asked = Asked(
        work=options.work,
        engine=options.engine,
        context_length=options.context,
        n_gpu_layers=options.n_gpu_layers,
        kv=options.kv,
        threads=options.threads,
        device=options.device,
        projector=options.projector,
        address=options.address,
        name=options.name,
        allow_pickle=options.allow_pickle,
        trust_remote_code=options.trust_remote_code,
        fail_on=options.fail_on,
        policy=read_policy(options.policy) if options.policy is not None else None,
    )
    found = bring(reference, how.wanted)
    offer = offered(found.path, asked, start, name=name_of(found.text))
    if not options.anyway and options.address is None:
        refuse_unfit(offer)
    return offer


def _search(reference: str, query: str | None, asked: Options, how: How) -> int:
    from weigh.cli.run_index import Search, search

    assert asked.index is not None
    embedding = msgspec.structs.replace(asked, work="embed")
    ranking = msgspec.structs.replace(asked, work="rerank", engine=None)
    ranker = functools.partial(_offer, asked.rerank, ranking, how) if asked.rerank is not None else None
    wanted = Search(
        folder=asked.index,
        file=asked.index_file,
        question=question_of(query, offline=how.wanted.offline),
        top=asked.top or TOP,
        language=how.language,
        as_json=how.as_json,
        quiet=how.quiet,
        ranker=ranker,
    )
    return asyncio.run(search(_offer(reference, embedding, how), wanted))


def _run(runner: asyncio.Runner, offer: Offer, work: Work, given: Given, output: Output) -> int:
    """One job; or a chat, where nothing was given."""
    from weigh.app.ask import job_of

    is_talk = work == "chat" and given.text is None and given.image is None and given.audio is None
    job = None if is_talk else job_of(work, given)  # what is wanting is said before anything is loaded
    model = runner.run(loaded(offer, output.language, quiet=output.quiet))
    try:
        if job is None:
            return _talk(runner, model, given, output)
        return runner.run(_one(model, job, output))[0]
    finally:
        runner.run(model.close())


async def _one(model: Running, job: Job, output: Output) -> tuple[int, Told]:
    from weigh.cli.run_output import Told

    told = Told(output, job)
    status = 0
    async with aclosing(model.run(job)) as events:
        async for event in events:
            if isinstance(event, Fault):
                click.echo(say(f"fault.{event.kind}", output.language, detail=event.detail), err=True)
                told.fail(event)
                status = 2
            else:
                told.take(event)
    return max(status, told.end()), told


def _talk(runner: asyncio.Runner, model: Running, given: Given, output: Output) -> int:
    """Turn by turn, until the input ends. A line is waited for outside the loop: an interrupt ends that at once."""
    from weigh.app.ask import job_of

    status = None
    while (line := next_line(sys.stdin, quiet=output.quiet)) is not None:
        if not line.strip():
            continue
        job = job_of("chat", msgspec.structs.replace(given, text=line))
        status, told = runner.run(_one(model, job, output))
        if status == 0:
            turns = (_turn("user", line), _turn("assistant", told.text))
            given = msgspec.structs.replace(given, turns=(*given.turns, *turns))
    if status is None:
        raise BadReference("run.no_input", work="chat")
    return status


def _turn(role: str, text: str) -> Message:
    return Message(role=role, pieces=(Piece(text=text),))
