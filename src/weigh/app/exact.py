"""A case with llama.cpp's own account in it, where the file is here and the library installed."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from weigh.core.errors import BadReference
from weigh.core.fit import Memory
from weigh.core.model import ModelFile
from weigh.core.report import Report
from weigh.engines import llamacpp
from weigh.fit.case import Case, setting_of
from weigh.fit.llamacpp import Setting

MOST_HEAD = 256 << 20

Account = Callable[[bytes, int, Setting], Memory | None]


def exactly(report: Report, case: Case, *, asked: bool, account: Account = llamacpp.account) -> Case:
    """The case, with the account where there is one.

    Raises BadReference if it was asked for and cannot be: no library, no single GGUF file here, or not loaded.
    """
    file = _gguf_of(report)
    if file is None or case.basis != "header":
        if asked:
            raise BadReference("fit.inexact", text=report.reference.text)
        return case
    if not asked and not llamacpp.is_here():
        return case
    head = _head(_path(report, file), file)
    found = account(head, file.nbytes, setting_of(case)) if head is not None else None
    if found is None:
        if asked:
            raise BadReference("fit.unloaded", text=report.reference.text)
        return case
    estimated = tuple(term for term in case.estimated if term not in ("kv_cache", "compute"))
    return msgspec.structs.replace(case, basis="exact", exact=found, estimated=estimated)


def _gguf_of(report: Report) -> ModelFile | None:
    """The one GGUF file on this machine, whole in itself."""
    if report.model is None or report.reference.hub != "path":
        return None
    files = [file for file in report.model.files if file.format == "gguf" and file.header is not None]
    if len(files) != 1 or files[0].header is None:
        return None
    shards = files[0].header.metadata.get("split.count")
    return files[0] if not isinstance(shards, int) or shards <= 1 else None


def _path(report: Report, file: ModelFile) -> str:
    whole = report.reference.text
    return os.path.join(whole, file.path) if os.path.isdir(whole) else whole


def _head(path: str, file: ModelFile) -> bytes | None:
    """Everything before the first tensor's bytes."""
    tensors = file.header.tensors if file.header is not None else ()
    first = min((tensor.offset for tensor in tensors if tensor.offset is not None), default=None)
    if first is None or first > min(MOST_HEAD, file.nbytes):
        return None
    try:
        with open(path, "rb") as opened:
            return opened.read(first)
    except OSError:
        return None
