"""An index declares a total that its tensors do not add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.core.finding import Finding
from weigh.core.header import Meta
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying

TOLERANCE = 0.01  # shared tensors are counted once or twice, by who wrote the index


def check(evidence: Evidence) -> Iterator[Finding]:
    """`total_size` against the bytes of the tensors, `total_parameters` against their elements."""
    header = evidence.folder.header if evidence.folder is not None else None
    index = header.metadata.get("index") if header is not None else None
    if not isinstance(index, dict):
        return
    yield from _unplaced(evidence, index)
    nbytes, elements = _counted(evidence, index.get("files"))
    for key, counted in (("total_size", nbytes), ("total_parameters", elements)):
        declared = index.get(key)
        if counted and type(declared) is int and abs(declared - counted) > TOLERANCE * counted:
            yield Finding(
                rule=RULE.id,
                severity="medium",
                confidence="certain",
                path=str(index.get("path", ".")),
                detail=Saying("finding.declared-total-lies", key=key, declared=declared, counted=counted),
            )


def _unplaced(evidence: Evidence, index: Mapping[str, Meta]) -> Iterator[Finding]:
    """Tensors that the index places and no file holds: a loader fills them with random numbers."""
    named = set(files) if isinstance(files := index.get("files"), tuple) else set()
    headers = [file.header for file in evidence.files if file.path in named and file.format == "safetensors"]
    declared, counted = index.get("num_tensors"), sum(len(one.tensors) for one in headers if one is not None)
    if len(headers) == len(named) and None not in headers and isinstance(declared, int) and declared > counted > 0:
        yield Finding(
            rule=RULE.id,
            severity="high",
            confidence="certain",
            path=str(index.get("path", ".")),
            verdict="broken",
            detail=Saying("finding.declared-total-lies", key="weight_map", declared=declared, counted=counted),
        )


def _counted(evidence: Evidence, files: Meta) -> tuple[int, int]:
    """Bytes and elements of all tensors in the files the index names; zeros unless all of them were read."""
    named = set(files) if isinstance(files, tuple) else set()
    headers = [file.header for file in evidence.files if file.path in named]
    if len(headers) != len(named):
        return 0, 0
    tensors = [tensor for header in headers if header is not None for tensor in header.tensors]
    return sum(tensor.nbytes or 0 for tensor in tensors), sum(tensor.num_elements for tensor in tensors)


RULE = Rule(id="declared-total-lies", check=check)
