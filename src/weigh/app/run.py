"""A model made to run: weighed, checked and planned first, then given to the engine that suits it best."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from collections.abc import Iterator, Sequence

from weigh.app.candidate import candidate
from weigh.app.policy import Policy
from weigh.core.engine import Candidate, Engine, Launch, Running
from weigh.core.errors import EngineError
from weigh.core.finding import SEVERITIES, Severity
from weigh.core.fit import Fit
from weigh.core.report import Report
from weigh.core.value import Value
from weigh.core.work import Work
from weigh.engines import engines
from weigh.engines.process import start

UNPICKLED = frozenset({"pytorch", "pytorch-legacy", "pytorch-tar", "pickle", "joblib", "torchscript"})
HOLDS: Severity = "high"
CUSTOM = "contains custom code"  # what transformers says of a network that it has not itself


class Chosen(Value, frozen=True, kw_only=True):
    """An engine, and the launch of a model on it."""

    engine: Engine
    launch: Launch


class Asked(Value, frozen=True, kw_only=True):
    """What the user said of it; None leaves it to us. `fail_on` is the least severity that holds a model back;
    `policy` says what else does.
    """

    work: Work | None = None
    engine: str | None = None
    context_length: int | None = None
    parallel: int = 1
    job_seconds: float | None = None
    n_gpu_layers: int | None = None
    kv: str | None = None
    threads: int | None = None
    device: str | None = None
    dtype: str | None = None
    projector: str | None = None
    address: str | None = None
    name: str | None = None
    key: str | None = None
    allow_pickle: bool | None = None
    trust_remote_code: bool | None = None
    fail_on: Severity = HOLDS
    policy: Policy | None = None


def chosen(report: Report, path: str, asked: Asked, fit: Fit | None = None) -> Chosen:
    """The engine for a model on this machine. Raises EngineError where it is held back, or where none can run it.

    `fit` is what was planned for this machine: context, key-value cache, layers on the accelerator.
    """
    if report.reference.hub == "echo":
        model = Candidate(path="echo:", format="echo")
    else:
        allowed(report, asked)
        model = candidate(report, path)
    suited = list(_suited(model, asked))
    if not suited:
        raise _nothing(model, asked)
    engine, works = next((pair for pair in suited if is_here(pair[0])), suited[0])
    if not is_here(engine) and asked.address is None:
        raise _missing(engine, path)
    return Chosen(engine=engine, launch=_launch(engine, works, model, asked, fit))


async def running(chosen: Chosen, *, interpreter: str | None = None) -> Running:
    """Loaded. Raises EngineError."""
    if chosen.engine.reach == "child":
        try:
            if interpreter is not None:
                return await start(chosen.engine.module, chosen.launch, interpreter=interpreter)
            return await start(chosen.engine.module, chosen.launch)
        except EngineError as error:
            if CUSTOM in str(error) and not chosen.launch.trust_remote_code:
                raise EngineError("run.remote_code", path=chosen.launch.path) from error
            raise
    connected = importlib.import_module(chosen.engine.module).connect(chosen.launch)
    model: Running = await connected if chosen.engine.reach == "http" else connected
    return model


def allowed(report: Report, asked: Asked) -> None:
    """Raises EngineError for what a check holds back: a finding at or above `fail_on`, or files nobody could read.

    Files that are unpickled are held back without `allow_pickle`, and with it where the check is not clean.
    """
    if report.error is not None:
        raise EngineError("run.not_weighed", path=str(report.reference))
    most = SEVERITIES.index(asked.fail_on)
    worst = next((f for f in report.findings if SEVERITIES.index(f.severity) <= most), None)
    if worst is not None:
        raise EngineError("run.held", path=worst.path, rule=worst.rule, severity=worst.severity)
    if report.verdict in ("malicious", "broken"):
        raise EngineError("run.verdict", path=str(report.reference), verdict=report.verdict)
    pickled = next((f for f in report.files if f.format in UNPICKLED), None)
    if pickled is None or _has_safe_weights(report):
        return
    if not asked.allow_pickle:
        raise EngineError("run.pickle", path=pickled.path)
    if report.verdict != "clean":
        raise EngineError("run.pickle_not_clean", path=pickled.path, verdict=report.verdict or "incomplete")


def is_here(engine: Engine) -> bool:
    """Whether its libraries can be imported by this interpreter, and its command is on the path."""
    if engine.command is not None and shutil.which(engine.command) is None:
        return False
    return all(importlib.util.find_spec(name) is not None for name in engine.needs)


def _missing(engine: Engine, path: str) -> EngineError:
    if engine.command is not None:
        return EngineError("run.no_command", path=path, engine=engine.name, command=engine.command)
    return EngineError("run.missing", path=path, engine=engine.name, extra=f"weigh[{engine.extra}]")


def _has_safe_weights(report: Report) -> bool:
    """Loaders take safetensors where both are there."""
    return any(file.format in ("safetensors", "gguf") for file in report.files)


def _suited(model: Candidate, asked: Asked) -> Iterator[tuple[Engine, tuple[Work, ...]]]:
    """Engines that could run it for what is asked, in their order."""
    for engine in engines():
        if asked.engine is not None and engine.name != asked.engine:
            continue
        if asked.address is not None and engine.reach != "http":
            continue
        works = engine.works(model)
        if works and (asked.work is None or asked.work in works):
            yield engine, works


def _nothing(model: Candidate, asked: Asked) -> EngineError:
    known = [engine.name for engine in engines()]
    if asked.engine is not None and asked.engine not in known:
        return EngineError("run.unknown_engine", engine=asked.engine, known=", ".join(known))
    if asked.work is not None and any(engine.works(model) for engine in engines()):
        can = _words(work for engine in engines() for work in engine.works(model))
        return EngineError("run.not_for_that", path=model.path, work=asked.work, can=can)
    return EngineError("run.nothing_runs", path=model.path, what=model.architecture or model.format)


def _words(works: Iterator[Work]) -> str:
    return ", ".join(dict.fromkeys(works))


def _launch(engine: Engine, works: Sequence[Work], model: Candidate, asked: Asked, fit: Fit | None) -> Launch:
    context = asked.context_length or (fit.context_length if fit is not None else None)
    first: tuple[Work, ...] = (asked.work,) if asked.work is not None else ()
    return Launch(
        engine=engine.name,
        path=model.path,
        works=tuple(dict.fromkeys((*first, *works))),
        format=model.format,
        architecture=model.architecture,
        model_type=model.model_type,
        task=model.task,
        context_length=context,
        parallel=asked.parallel,
        job_seconds=asked.job_seconds,
        n_gpu_layers=asked.n_gpu_layers if asked.n_gpu_layers is not None else fit.n_gpu_layers if fit else None,
        kv=asked.kv,
        threads=asked.threads or os.cpu_count(),
        device=asked.device,
        dtype=asked.dtype,
        projector=asked.projector or _projector(model),
        address=asked.address,
        name=asked.name,
        key=asked.key,
        allow_pickle=asked.allow_pickle,
        trust_remote_code=asked.trust_remote_code,
    )


def _projector(model: Candidate) -> str | None:
    """The file that makes pictures into tokens, where one lies beside a GGUF."""
    found = (path for path in model.beside if os.path.basename(path).startswith("mmproj") and path.endswith(".gguf"))
    return next(found, None) if model.format == "gguf" else None
