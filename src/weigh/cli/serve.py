"""`weigh serve [REF...]`: one server, many models."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from weigh.cli.bring import Wanted, bring
from weigh.cli.options import common, language_of
from weigh.core.errors import SourceError, WeighError
from weigh.core.report import Report
from weigh.text import Language, complain

if TYPE_CHECKING:
    from weigh.app.policy import Policy
    from weigh.app.run import Asked
    from weigh.serve.api.pool import Ware
    from weigh.serve.api.serving import Outside
    from weigh.serve.api.settings import ModelSetting, Settings


@click.command()
@click.argument("references", metavar="[REF...]", nargs=-1)
@click.option("--config", metavar="FILE", help="TOML with a key for each of these, and [models.NAME] tables.")
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks one (default: 8000).")
@click.option(
    "--api-key",
    "api_keys",
    multiple=True,
    metavar="KEY",
    envvar="WEIGH_API_KEY",
    help="A key that clients must send; repeatable (default: WEIGH_API_KEY of the environment).",
)
@click.option("--cors-origin", "cors_origins", multiple=True, metavar="ORIGIN", help="A page that may ask; repeatable.")
@click.option("--tls-certificate", metavar="FILE", help="Certificate in PEM: then it speaks HTTPS.")
@click.option("--tls-key", metavar="FILE", help="Its key in PEM.")
@click.option("--parallel", type=click.IntRange(1, 256), help="Jobs at once in one model (default: 4).")
@click.option("--queue", type=click.IntRange(0), help="Jobs that may wait for one model (default: 32).")
@click.option("--wait-seconds", type=float, help="How long a job may wait for its turn (default: 120).")
@click.option("--job-seconds", type=float, help="How long a job may take (default: 3600).")
@click.option("--idle-seconds", type=float, help="A model unused for so long is let go (default: 600).")
@click.option("--drain-seconds", type=float, help="How long jobs may go on after the end was asked for (default: 10).")
@click.option("--stall-seconds", type=float, help="How long a client may take nothing of its answer (default: 60).")
@click.option("--body-bytes", type=int, help="The longest request (default: 64 MiB).")
@click.option("--memory", type=int, metavar="BYTES", help="For all models together (default: what is free).")
@click.option("--context", "context_length", type=int, metavar="TOKENS", help="Tokens of a model's context.")
@click.option("--media-folder", metavar="DIR", help="Where videos wait for who asked for them.")
@click.option("--media-number", type=click.IntRange(1), help="Videos that are kept (default: 100).")
@click.option("--media-seconds", type=float, help="How long a video is kept (default: 86400).")
@click.option("--log-prompts", is_flag=True, default=None, help="Write prompts and answers to the log.")
@click.option("--traces", is_flag=True, default=None, help="Send traces by OpenTelemetry.")
@click.option("--allow-pickle", is_flag=True, default=None, help="Weights that are a pickle, after a clean check.")
@click.option("--policy", metavar="FILE", help="TOML: what it does not allow is not served.")
@click.option("--yes", "-y", is_flag=True, default=None, help="Pull models that are not here without asking.")
@common
def serve(config: str | None, lang: str | None, **given: object) -> int:
    """Serve models: OpenAI's API, Anthropic's, Ollama's and more."""
    language = language_of(lang)
    try:
        settings = _settings(config, {**given, "lang": lang})
        language = language_of(settings.lang)
        return asyncio.run(_serve(_brought(settings, language), language))
    except WeighError as error:
        click.echo(complain(error, language), err=True)
        return 2


def _settings(config: str | None, given: dict[str, object]) -> Settings:
    """The file's, and over them the flags that were given."""
    from weigh.serve.api.settings import Settings, checked, read_settings

    settings = read_settings(config) if config is not None else Settings()
    said = {key: value for key, value in given.items() if value is not None and value is not False and value != ()}
    return checked(msgspec.structs.replace(settings, **said), "weigh serve")


async def _serve(settings: Settings, language: Language) -> int:
    from weigh.serve.api.pool import Pool
    from weigh.sources.machine import start as run

    wares = {ware.name: ware for ware in _wares(settings)}
    if not wares:
        raise SourceError("serve.nothing")
    from weigh.app.offer import room

    budget = settings.memory if settings.memory is not None else room(run)
    pool = Pool(wares, budget=budget, queue=settings.queue, wait_seconds=settings.wait_seconds)
    from weigh.serve.api.app import create
    from weigh.serve.api.listen import listen

    def say(address: str) -> None:
        if not settings.quiet:
            click.echo(f"listening on {address}")

    await listen(create(pool, settings, language, _outside(settings)), pool, settings, say)
    return 0


def _outside(settings: Settings) -> Outside:
    from weigh.serve.api.serving import Outside
    from weigh.serve.api.trace import spans

    def write(line: str) -> None:
        sys.stderr.write(line + "\n")

    return Outside(weigh=_weigh, write=None if settings.quiet else write, span=spans() if settings.traces else None)


def _wares(settings: Settings) -> list[Ware]:
    from weigh.app.policy import read_policy

    policy = read_policy(settings.policy) if settings.policy is not None else None
    return [_ware(name, setting, settings, policy) for name, setting in settings.models.items()]


def _brought(settings: Settings, language: Language) -> Settings:
    """With a model for each reference, all of them on this machine. Raises WeighError."""
    from weigh.app.offer import name_of
    from weigh.serve.api.settings import ModelSetting

    wanted = Wanted(language, bool(settings.offline), bool(settings.yes), bool(settings.quiet))
    named = [(None, ModelSetting(reference=text)) for text in settings.references]
    models: dict[str, ModelSetting] = {}
    for name, setting in [*named, *settings.models.items()]:
        found = bring(setting.reference, wanted)
        models[name or name_of(found.text)] = msgspec.structs.replace(setting, reference=found.path)
    return msgspec.structs.replace(settings, models=models)


def _ware(name: str, setting: ModelSetting, settings: Settings, policy: Policy | None) -> Ware:
    from weigh.app.offer import offered
    from weigh.serve.api.pool import Ware
    from weigh.sources.machine import start as run

    asked = _asked(setting, settings, policy)
    offer = offered(setting.reference, asked, run, name=name, interpreter=setting.interpreter)
    idle = setting.idle_seconds if setting.idle_seconds is not None else settings.idle_seconds
    return Ware(
        name=offer.name,
        nbytes=offer.nbytes,
        about=offer.about,
        parallel=offer.chosen.launch.parallel,
        idle_seconds=None if setting.pinned else idle,
        reference=setting.reference,
        load=offer.start,
    )


def _asked(setting: ModelSetting, settings: Settings, policy: Policy | None) -> Asked:
    from weigh.app.run import Asked

    return Asked(
        engine=setting.engine,
        context_length=setting.context_length or settings.context_length,
        parallel=setting.parallel or settings.parallel,
        n_gpu_layers=setting.n_gpu_layers,
        kv=setting.kv,
        device=setting.device,
        allow_pickle=setting.allow_pickle if setting.allow_pickle is not None else settings.allow_pickle,
        trust_remote_code=setting.trust_remote_code,
        job_seconds=settings.job_seconds,
        address=setting.address,
        name=setting.name,
        key=_key(setting),
        policy=policy,
    )


def _key(setting: ModelSetting) -> str | None:
    """Its own, or what the environment holds. Raises SourceError where that is nothing."""
    if setting.key is not None or setting.key_variable is None:
        return setting.key
    found = os.environ.get(setting.key_variable)
    if not found:
        raise SourceError("serve.no_key", variable=setting.key_variable)
    return found


async def _weigh(text: str) -> Report:
    """Behind the wall, in a thread: what is asked over the network is never read in this process."""
    from weigh.app.wall import check
    from weigh.app.wish import Wish

    return (await asyncio.to_thread(check, text, Wish())).report
