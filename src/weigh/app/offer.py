"""What a server of models is given: each reference weighed, checked and planned before anybody asks for it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from weigh.app.fit import Wish, devices_of, fits
from weigh.app.policy import laid_over
from weigh.app.run import Asked, Chosen, chosen, running
from weigh.app.weigh import weigh_as
from weigh.app.wish import Wish as Look
from weigh.core.engine import Running
from weigh.core.errors import BadReference, EngineError, SourceError
from weigh.core.facts import Fact
from weigh.core.fit import Fit
from weigh.core.model import Model
from weigh.core.report import Failure, Report
from weigh.core.units import in_bytes
from weigh.core.value import Value
from weigh.core.work import Work
from weigh.sources.machine import Run, look

T = TypeVar("T")
ECHO_BYTES = 1 << 20
BESIDE_WEIGHTS = 1.3  # what a model takes for each byte of its weights, where no plan says it
SAFETY = 512 << 20  # left to the rest of the machine


class About(Value, frozen=True, kw_only=True):
    """What a client may be told of a model that is not loaded. `nbytes` is what its files take, `longest` the context
    that it was made for.

    `digest` is the SHA-256 of the list of its files, each with its size and when it was written: the files themselves
    are not read for it.
    """

    format: str | None = None
    architecture: str | None = None
    works: tuple[Work, ...] = ()
    num_parameters: int | None = None
    quantisation: str | None = None
    context_length: int | None = None
    longest: int | None = None
    nbytes: int | None = None
    chat_template: str | None = None
    licence: str | None = None
    digest: str | None = None


class Offer(Value, frozen=True, kw_only=True):
    """One model: what it is called, the bytes it takes when loaded, how it was planned, and how it is started."""

    name: str
    nbytes: int
    about: About
    chosen: Chosen
    plan: Fit | None = None
    start: Callable[[], Awaitable[Running]]


def offered(text: str, asked: Asked, run: Run, *, name: str | None = None, interpreter: str | None = None) -> Offer:
    """Of a path on this machine, or `echo:`. Raises WeighError for what cannot be weighed, is held back or has no
    engine.
    """
    report, asked = _weighed(text, asked)
    if report.error is not None:
        raise _told(report.error, text)
    plan = _plan(report, asked, run)
    found = chosen(report, text, asked, plan)
    start = functools.partial(running, found, interpreter=interpreter)
    return Offer(
        name=name or name_of(text),
        nbytes=_nbytes(report, plan),
        about=_about(report, found),
        chosen=found,
        plan=plan,
        start=start,
    )


def refuse_unfit(offer: Offer) -> None:
    """Raises EngineError for what does not go onto this machine: the system would end it, or something else."""
    plan, asked, longest = offer.plan, offer.chosen.launch.context_length, offer.about.longest
    if asked is not None and longest is not None and asked > longest:
        raise EngineError("fit.beyond", path=offer.name, context=asked, limit=longest)
    if plan is not None and plan.verdict == "no":
        need, free = plan.most or plan.memory.total, sum(share.budget for share in plan.devices)
        raise EngineError(
            "run.does_not_fit", path=offer.name, need=in_bytes(need), free=in_bytes(free), device=plan.device
        )


def room(run: Run) -> int:
    """Bytes that models may take of this machine's memory, and of its accelerators'."""
    host = look(run)
    free = sum(one.free or one.memory or 0 for one in host.accelerators)
    return max(host.available - SAFETY, 0) + free


def name_of(text: str) -> str:
    """What a client asks for: a hub's `org/name`, else the last part of the path without its suffix.

    >>> name_of("/models/Qwen3-8B-Q4_K_M.gguf"), name_of("hf:Qwen/Qwen3-8B"), name_of("echo:")
    ('Qwen3-8B-Q4_K_M', 'Qwen/Qwen3-8B', 'echo')
    """
    hub, colon, rest = text.partition(":")
    if colon and hub in ("hf", "ms", "ollama", "echo"):
        return rest or hub
    last = os.path.basename(os.path.normpath(text))
    stem, dot, suffix = last.rpartition(".")
    return stem if dot and suffix in ("gguf", "safetensors", "onnx", "pt", "bin") else last


def _weighed(text: str, asked: Asked) -> tuple[Report, Asked]:
    """Its report as the policy has it, and what then holds it back."""
    policy = asked.policy
    if policy is None:
        return weigh_as(text, Look()).report, asked
    report = laid_over(weigh_as(text, Look(allow=policy.allow)), policy)
    return report, msgspec.structs.replace(asked, fail_on=policy.fail_on or asked.fail_on)


def _told(failure: Failure, text: str) -> SourceError:
    key = failure.message.key.removeprefix("error.")
    error = SourceError(key, path=failure.path or text, offset=failure.offset)
    error.saying = failure.message
    return error


def _plan(report: Report, asked: Asked, run: Run) -> Fit | None:
    """The best of this machine's; None where nothing says how large the model is."""
    wish = Wish(context_length=asked.context_length, parallel=asked.parallel, kv=asked.kv or "f16", exact=False)
    try:
        plans = fits(report, devices_of((), run), wish)
    except BadReference:
        return None
    ranks = ("fits", "tight", "offload", "no")
    return min(plans, key=lambda plan: ranks.index(plan.verdict)) if plans else None


def _about(report: Report, found: Chosen) -> About:
    model = report.model or Model()
    quant = value_of(model.quantisation)
    launch = found.launch
    return About(
        format=launch.format,
        architecture=launch.architecture,
        works=launch.works,
        num_parameters=value_of(model.num_parameters),
        quantisation=quant.scheme if quant is not None else None,
        context_length=launch.context_length or value_of(model.context_length),
        longest=value_of(model.context_length),
        nbytes=value_of(model.nbytes) or sum(file.nbytes for file in report.files),
        chat_template=value_of(model.chat_template),
        licence=value_of(model.licence),
        digest=_digest(report, launch.path),
    )


def _digest(report: Report, path: str) -> str:
    """Of a manifest, as Ollama's are; another file under the same name gives another."""
    rows = [f"{file.path} {file.nbytes} {_written(path, file.path)}" for file in report.files]
    return hashlib.sha256(
        "\n".join([os.path.basename(path), *sorted(rows)]).encode("utf-8", "surrogateescape")
    ).hexdigest()


def _written(path: str, file: str) -> int:
    for place in (os.path.join(path, file), path):
        with contextlib.suppress(OSError, ValueError):
            return os.stat(place).st_mtime_ns
    return 0


def value_of(fact: Fact[T] | None) -> T | None:
    """What a fact says, where anybody says it."""
    return fact.value if fact is not None else None


def _nbytes(report: Report, plan: Fit | None) -> int:
    if plan is not None:
        return plan.memory.total
    held = report.model.weight_nbytes if report.model is not None else None
    return int(held.value * BESIDE_WEIGHTS) if held is not None else ECHO_BYTES
