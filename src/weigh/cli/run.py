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
from weigh.cli.options import common, language_of
from weigh.cli.run_input import Options, given_of, next_line, question_of
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
@click.option("--out", metavar="FILE", help="Where the picture, sound, film or vectors go.")
@click.option("--system", metavar="TEXT", help="A chat's system prompt.")
@click.option("--json-schema", "schema", metavar="FILE|JSON", help="The answer is JSON that satisfies this schema.")
@click.option("--fim", "suffix", metavar="TEXT", help="Fill in between INPUT and this text.")
@click.option("--thinking/--no-thinking", default=None, help="Whether a model that can reasons first.")
@click.option("--max-tokens", type=int, help="The longest answer.")
@click.option("--temperature", type=float, help="0 takes the likeliest token always.")
@click.option("--top-p", type=float, help="Only tokens that together are so likely.")
@click.option("--seed", type=int, help="The same seed gives the same answer, picture or sound.")
@click.option("--stop", multiple=True, metavar="TEXT", help="Where the answer ends; repeatable.")
@click.option("--image", metavar="FILE", help="A picture to look at, to start from or to change.")
@click.option("--mask", metavar="FILE", help="What is white here is drawn anew.")
@click.option("--audio", metavar="FILE", help="A sound to listen to.")
@click.option("--document", "documents", multiple=True, metavar="TEXT", help="To rank or to embed; repeatable.")
@click.option("--documents", "documents_file", metavar="FILE", help="The same, one a line.")
@click.option("--label", "labels", multiple=True, metavar="TEXT", help="A class to try; repeatable.")
@click.option("--threshold", type=float, default=0.5, show_default=True, help="The least score of what is detected.")
@click.option("--top", type=int, default=5, show_default=True, help="So many classes.")
@click.option("--dimensions", type=int, help="So many numbers of each vector.")
@click.option("--language", metavar="CODE", help="What is spoken: en, zh ...")
@click.option("--translate", is_flag=True, help="What is said, in English.")
@click.option("--srt", is_flag=True, help="What is said, as subtitles.")
@click.option("--voice", help="Who speaks.")
@click.option("--speed", type=float, help="How fast.")
@click.option("--negative", metavar="TEXT", help="What should not be in it.")
@click.option("--size", metavar="WxH", help="Of a picture or a film.")
@click.option("--steps", type=int, help="Steps of a diffusion model.")
@click.option("--guidance", type=float, help="How closely it keeps to the words.")
@click.option("--strength", type=float, help="How much of the picture may change, 0 to 1.")
@click.option("--count", type=click.IntRange(1, 64), default=1, show_default=True, help="So many pictures.")
@click.option("--seconds", type=float, help="Of sound.")
@click.option("--frames", type=int, help="Of a film.")
@click.option("--fps", type=int, help="Frames a second.")
@click.option("--engine", help="Which engine runs it.")
@click.option("--device", help="Where: cpu, cuda, mps ...")
@click.option("--context", type=int, metavar="TOKENS", help="Tokens of context.")
@click.option("--gpu-layers", "n_gpu_layers", type=int, help="Layers on the accelerator.")
@click.option("--kv", help="Type of the cache: f16, q8_0 ...")
@click.option("--threads", type=int, help="Of the processor.")
@click.option("--projector", metavar="FILE", help="The mmproj file that makes pictures into tokens.")
@click.option("--address", metavar="URL", help="Of a server that runs already: --engine vllm --address http://...")
@click.option("--name", metavar="NAME", help="What the model is called there.")
@click.option("--allow-pickle", is_flag=True, default=None, help="Weights that are a pickle, after a clean check.")
@click.option("--trust-remote-code", is_flag=True, default=None, help="Run code that lies beside the weights.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="high", show_default=True, help="What holds it back.")
@click.option("--policy", metavar="FILE", help="TOML: what it does not allow is not run.")
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
            return _search(reference, asked.query or input_text, asked, how)
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
    from weigh.cli.run_output import Output

    given = given_of(input_text, asked)
    offer = _offer(reference, asked, how)
    work = asked.work or offer.chosen.launch.works[0]
    output = Output(
        language=how.language, name=offer.name, as_json=how.as_json, quiet=how.quiet, is_srt=asked.srt, out=asked.out
    )
    with asyncio.Runner() as runner:
        return _run(runner, offer, work, given, output)


def _offer(reference: str, options: Options, how: How) -> Offer:
    from weigh.app.offer import name_of, offered
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
    return offered(found.path, asked, start, name=name_of(found.text))


def _search(reference: str, query: str | None, asked: Options, how: How) -> int:
    from weigh.cli.run_index import Search, search

    assert asked.index is not None
    embedding = msgspec.structs.replace(asked, work="embed")
    ranking = msgspec.structs.replace(asked, work="rerank", engine=None)
    ranker = functools.partial(_offer, asked.rerank, ranking, how) if asked.rerank is not None else None
    wanted = Search(
        folder=asked.index,
        file=asked.index_file,
        question=question_of(query),
        top=asked.top,
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
    told.end()
    return status, told


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
