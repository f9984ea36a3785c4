"""What to do next, from what a report found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from weigh.core.report import Report, Step
from weigh.core.saying import Saying

_BY_RULE = {
    "pickle-import": "do_not_load",
    "lfs-pointer": "lfs_pull",
    "truncated": "fetch_again",
    "missing-shard": "fetch_again",
    "html-page": "fetch_again",
    "malformed": "ask_the_source",
}
_RUNNERS = {"gguf": "run_gguf", "huggingface": "run_transformers"}


def next_steps(report: Report) -> tuple[Step, ...]:
    """The steps in the order to take them; none is a stopgap for a report that says all is well and done."""
    return tuple(_steps(report))


def _steps(report: Report) -> Iterator[Step]:
    path = shlex.quote(report.reference.name)
    if report.verdict is None:
        yield Step(why=Saying("step.weigh_the_files"), command="weigh PATH")
        return
    if any(skip.reason == "not-fetched" for skip in report.skips):
        yield Step(why=Saying("step.fetch_first"), command="weigh PATH")
        return
    keys = dict.fromkeys(_BY_RULE[finding.rule] for finding in report.findings if finding.rule in _BY_RULE)
    for key in keys:
        if key == "lfs_pull":
            yield Step(why=Saying("step.lfs_pull"), command="git lfs pull")
        elif key == "do_not_load" and report.verdict != "malicious":
            yield Step(why=Saying("step.check_the_imports"))
        else:
            yield Step(why=Saying(f"step.{key}"))
    if any(claim.verdict == "does_not_hold" for claim in report.claims):
        yield Step(why=Saying("step.trust_the_files"))
    if any(skip.matters for skip in report.skips):
        yield Step(why=Saying("step.not_all_was_seen"))
    if report.verdict == "clean" and report.format in ("pytorch", "pytorch-legacy", "pickle"):
        yield Step(why=Saying("step.weights_only"))
    if report.verdict == "clean" and report.format in _RUNNERS:
        yield _runner(report.format, path)


def _runner(format: str, path: str) -> Step:
    if format == "gguf":
        return Step(why=Saying("step.run_gguf"), command=f"llama-cli -m {path}")
    return Step(why=Saying("step.run_transformers"), command=f"transformers chat {path}")
