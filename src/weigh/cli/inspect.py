"""The cut of a report that `weigh inspect` prints."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import msgspec

from weigh.core.header import Meta
from weigh.core.model import Model, ModelFile
from weigh.core.report import Report
from weigh.formats import PLACES, of_name
from weigh.text.datasets import is_told

MOST_KEYS, LONGEST = 16, 300  # of a header without tensors


def cut(whole: Report, *, tensors: bool, metadata: bool) -> Report:
    """What the files hold, without what was judged of them."""
    shown = msgspec.structs.replace(whole, claims=(), findings=(), skips=(), next_steps=(), name=None)
    if whole.model is None:
        return shown
    files = tuple(_cut_file(file, tensors=tensors, metadata=metadata) for file in whole.model.files)
    return msgspec.structs.replace(shown, model=msgspec.structs.replace(whole.model, files=files))


def cut_headers(whole: Report) -> Report:
    """The report without the headers of its files; data sets and what is unknown keep theirs where no model is."""
    if whole.model is None:
        return whole
    files = whole.model.files
    told = [file for file in files if file.header is not None and is_told(file.header)]
    shown = () if any(_is_model(file.format) for file in files) else tuple(told)
    model: Model = msgspec.structs.replace(whole.model, files=shown)
    return msgspec.structs.replace(whole, model=model)


def _cut_file(file: ModelFile, *, tensors: bool, metadata: bool) -> ModelFile:
    """Of what is no model the header's metadata is all there is to see, of what has no tensors most of it."""
    header = file.header
    bare = header is not None and not header.tensors
    if header is not None and not tensors:
        header = msgspec.structs.replace(header, tensors=())
    if header is not None and not metadata and _is_model(file.format):
        header = msgspec.structs.replace(header, metadata=_brief(header.metadata) if bare else {})
    return msgspec.structs.replace(file, header=header)


def _brief(metadata: Mapping[str, Meta]) -> dict[str, Meta]:
    """The first keys, without what takes more than a line."""
    short = ((key, value) for key, value in metadata.items() if value is not None and len(str(value)) <= LONGEST)
    return dict(islice(short, MOST_KEYS))


def _is_model(format: str) -> bool:
    """Do files of this format hold weights, as far as is known?"""
    return format != "unknown" and format in dict(PLACES) and of_name(format).is_model
