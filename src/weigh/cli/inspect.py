"""The cut of a report that `weigh inspect` prints."""

from __future__ import annotations

import msgspec

from weigh.core.model import Model, ModelFile
from weigh.core.report import Report


def cut(whole: Report, *, tensors: bool, metadata: bool) -> Report:
    """What the files hold, without what was judged of them."""
    shown = msgspec.structs.replace(whole, claims=(), findings=(), skips=(), next_steps=(), name=None)
    if whole.model is None:
        return shown
    files = tuple(_cut_file(file, tensors=tensors, metadata=metadata) for file in whole.model.files)
    return msgspec.structs.replace(shown, model=msgspec.structs.replace(whole.model, files=files))


def cut_headers(whole: Report) -> Report:
    """The report without the headers of its files."""
    if whole.model is None:
        return whole
    model: Model = msgspec.structs.replace(whole.model, files=())
    return msgspec.structs.replace(whole, model=model)


def _cut_file(file: ModelFile, *, tensors: bool, metadata: bool) -> ModelFile:
    header = file.header
    if header is not None and not tensors:
        header = msgspec.structs.replace(header, tensors=())
    if header is not None and not metadata:
        header = msgspec.structs.replace(header, metadata={})
    return msgspec.structs.replace(file, header=header)
