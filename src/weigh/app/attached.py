"""What is loaded beside a model: a projector that sees, a small model that guesses ahead, adapters."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import msgspec

from weigh.core.errors import BadReference
from weigh.core.report import Report
from weigh.core.value import Value
from weigh.fit.case import Case, memory

MIB = 1 << 20
PROJECTOR_WORK = 400 * MIB  # in which a picture is encoded: as much as seen with usual sizes; up to 1.1 GiB
_PLAIN_BYTES = 2  # an element of a tower, which is hardly ever packed


class Beside(Value, frozen=True, kw_only=True):
    """Reports on files that are named apart."""

    projector: Report | None = None
    draft: Report | None = None
    adapters: tuple[Report, ...] = ()


def joined(case: Case, report: Report, beside: Beside, engine: str, case_of: Callable[[Report], Case]) -> Case:
    """The case with all that comes with it. Raises BadReference where one of these has no size."""
    if engine in ("llama.cpp", "ollama"):
        case = _with_projector(case, report, beside.projector)
    elif (towers := _towers(case)) and case.basis != "header":
        total = case.weights.total + towers
        case = msgspec.structs.replace(case, weights=msgspec.structs.replace(case.weights, total=total))
    if beside.draft is not None:
        small = case_of(beside.draft)
        need = memory(small, "llama.cpp", gpu=False)
        case = _and(case, "draft", need.total - need.overhead, "-md", small.name)
    for one in beside.adapters:
        case = _and(case, "adapters", case.adapters + _nbytes(one), "--lora", one.reference.text)
    return case


def _with_projector(case: Case, report: Report, stated: Report | None) -> Case:
    """The file named, else the one that lies in the same folder, else what the configuration says of its towers."""
    if stated is not None:
        return _and(case, "projector", _nbytes(stated) + PROJECTOR_WORK, "--mmproj", stated.reference.text)
    for file in report.model.files if report.model is not None else ():
        if file.header is not None and file.header.metadata.get("general.architecture") == "clip":
            nbytes = sum(tensor.nbytes or 0 for tensor in file.header.tensors)
            return _and(case, "projector", nbytes + PROJECTOR_WORK, "--mmproj", file.path)
    if case.basis != "header" and (towers := _towers(case)):
        return _and(case, "projector", towers + PROJECTOR_WORK)
    return case


def _towers(case: Case) -> int:
    return _PLAIN_BYTES * ((case.architecture.beside if case.architecture is not None else None) or 0)


def _and(case: Case, term: str, nbytes: int, *command: str) -> Case:
    estimated = tuple(dict.fromkeys((*case.estimated, *(() if term == "adapters" else (term,)))))
    words = (command[0], shlex.quote(command[1])) if command else ()
    return msgspec.structs.replace(case, **{term: nbytes}, estimated=estimated, beside=(*case.beside, *words))


def _nbytes(report: Report) -> int:
    found = report.model.weight_nbytes if report.model is not None else None
    if report.error is not None or found is None:
        raise BadReference("fit.beside", text=report.reference.text)
    return found.value
