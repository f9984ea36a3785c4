"""The content is of another format than the suffix says."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from weigh.core.finding import Finding, Severity, Verdict
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying
from weigh.formats import FORMATS
from weigh.knowledge.suffix_claims import suffix_claims

# Loading these runs what they name.
UNPICKLED = frozenset({"pickle", "pytorch", "pytorch-legacy", "pytorch-tar", "torchscript", "joblib"})
NO_MODEL = frozenset({"text", "json", "jsonl", "csv", "parquet", "python", "image", "pdf", "link-text", "other"})
BARE = frozenset({"zip", "tar", "7z", "npz"})  # containers that hold nothing of what the suffix says
# What transformers, diffusers and peft write by torch.save alone.
_TORCH_NAME = re.compile(r"(?:diffusion_)?(?:pytorch|adapter)_model(?:[-.].*)?\.bin")
_NO_SUFFIX_OF_ITS_OWN = ("", ".so", ".exe", ".dll", ".dylib", ".pyd", ".node", ".o", ".a")  # programs come under these
# Told by rules of their own, or by nothing at all.
NOT_ASKED = frozenset({"unknown", "html", "git-lfs-pointer"})


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each file whose suffix makes a claim that its content does not keep."""
    for file in evidence.files:
        suffix = _suffix(file.path)
        if file.format in NOT_ASKED or not file.nbytes:
            continue
        if not _may_hold(suffix, file.format) or (_is_program(file) and suffix not in _NO_SUFFIX_OF_ITS_OWN):
            yield _finding(file, suffix)


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    if _TORCH_NAME.fullmatch(name) is not None:
        return ".pt"
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def _is_program(file: Examined) -> bool:
    return file.header is not None and file.header.metadata.get("kind") == "program"


def _may_hold(suffix: str, format: str) -> bool:
    table = suffix_claims().get(suffix)
    if table is not None:
        return "*" in table or format in table
    claimed = _claimed().get(suffix)
    return claimed is None or format in claimed


@functools.cache
def _claimed() -> Mapping[str, frozenset[str]]:
    """What the formats themselves say, for suffixes that the table leaves out."""
    found: dict[str, set[str]] = {}
    for format in FORMATS:
        for suffix in format.suffixes:
            found.setdefault(suffix, set()).add(format.name)
    return {suffix: frozenset(names) for suffix, names in found.items()}


def _finding(file: Examined, suffix: str) -> Finding:
    key, severity, verdict = _weight(file, suffix)
    return Finding(
        rule=RULE.id,
        severity=severity,
        confidence="certain",
        path=file.path,
        verdict=verdict,
        detail=Saying(f"finding.suffix-mismatch.{key}", suffix=suffix, format=file.format),
    )


def _weight(file: Examined, suffix: str) -> tuple[str, Severity, Verdict | None]:
    """A pickle or a program under another name can do harm; what is no model cannot be loaded as one."""
    if file.format in UNPICKLED:
        return "unpickled", "medium", "suspicious"
    if _is_program(file):
        return "program", "medium", "suspicious"
    claimed = suffix_claims().get(suffix, _claimed().get(suffix, frozenset()))
    kinds = next((kinds for kinds in (NO_MODEL, BARE) if file.format in kinds), None)
    if kinds is not None and claimed.isdisjoint(kinds):
        return "no_model", "medium", "broken"
    return "other", "low", None


RULE = Rule(id="suffix-mismatch", check=check)
