"""What to do next, from what a report found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from weigh.core.reference import Reference
from weigh.core.report import Report, Step
from weigh.core.saying import Saying

_BY_RULE = {
    "pickle-import": "do_not_load",
    "lfs-pointer": "lfs_pull",
    "truncated": "fetch_again",
    "missing-shard": "fetch_again",
    "html-page": "fetch_again",
    "malformed": "ask_the_source",
    "template-code": "leave_the_template",
    "template-suspicious": "leave_the_template",
    "repository-code": "read_the_code",
    "operators": "do_not_load",
    "embedded": "ask_the_source",
    "external-path": "ask_the_source",
    "archive-slip": "ask_the_source",
    "pickle-bomb": "ask_the_source",
    "declared-total-lies": "fetch_again",
    "unreadable": "fetch_again",
    "suffix-mismatch": "rename",
}


def next_steps(report: Report) -> tuple[Step, ...]:
    """The steps in the order to take them; none is a stopgap for a report that says all is well and done."""
    return tuple(_steps(report))


def _steps(report: Report) -> Iterator[Step]:
    if report.verdict is None:
        yield Step(why=Saying("step.weigh_the_files"), command="weigh PATH")
    elif report.model is None:
        yield Step(why=Saying("step.fetch_first"), command="weigh PATH")
    else:
        yield from _mending(report)
        if report.verdict == "clean":
            yield from _running(report) if report.reference.hub == "path" else _fetching(report.reference)


def _mending(report: Report) -> Iterator[Step]:
    """What the findings, claims and skips ask for."""
    for key in dict.fromkeys(_BY_RULE[finding.rule] for finding in report.findings if finding.rule in _BY_RULE):
        if key == "do_not_load" and report.verdict != "malicious":
            key = "check_the_imports" if any(f.rule == "pickle-import" for f in report.findings) else "ask_the_source"
        yield Step(why=Saying(f"step.{key}"), command="git lfs pull" if key == "lfs_pull" else None)
    if any(claim.verdict == "does_not_hold" for claim in report.claims):
        yield Step(why=Saying("step.trust_the_files"))
    if any(skip.matters for skip in report.skips):
        yield Step(why=Saying("step.not_all_was_seen"))


def _fetching(reference: Reference) -> Iterator[Step]:
    """How to have what was read on a server."""
    yield Step(why=Saying("step.fetch_whole"), command=shlex.join(["weigh", "pull", str(reference)]))


def _running(report: Report) -> Iterator[Step]:
    """How to go on with what is clean."""
    path = shlex.quote(report.reference.name)
    match report.format:
        case "pytorch" | "pytorch-legacy" | "pickle":
            yield Step(why=Saying("step.weights_only"))
        case "gguf":
            yield Step(why=Saying("step.run_gguf"), command=f"llama-cli -m {path}")
        case "huggingface" if report.model is not None and report.model.chat_template is not None:
            yield Step(why=Saying("step.run_transformers"), command=f"transformers chat {path}")
