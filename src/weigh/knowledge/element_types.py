"""The numbers by which each family of files calls its element types."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

Scheme = Literal["onnx", "tensorflow", "mil", "coreml", "paddle", "mxnet"]


class ElementType(Row, frozen=True, kw_only=True):
    """`number` in files of `scheme` is `dtype`, a name of the table of dtypes."""

    scheme: Scheme
    number: int
    dtype: str


@functools.cache
def element_types() -> Mapping[tuple[Scheme, int], str]:
    """Names of dtypes by scheme and number."""
    return {(row.scheme, row.number): row.dtype for row in read_table("element_types", ElementType)}


def dtype_name(scheme: Scheme, number: int) -> str:
    """The dtype, or the scheme and the number where nobody knows it."""
    return element_types().get((scheme, number), f"{scheme.upper()}_{number}")
