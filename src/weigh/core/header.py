"""One file's own account of itself: cheap to read, never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from weigh.core.saying import Saying
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value


class LongArray(Value, frozen=True, kw_only=True):
    """A long array in a header, kept as its element type, its count and its first sixteen elements."""

    type: str
    count: int
    first: tuple[str | int | float | bool, ...] = ()


if TYPE_CHECKING:
    # Metadata as files hold it: JSON's values, and LongArray.
    Meta: TypeAlias = bool | int | float | str | LongArray | tuple["Meta", ...] | Mapping[str, "Meta"] | None
else:
    Meta = Any  # msgspec cannot tell a LongArray from a mapping when it reads; we only ever write


class Problem(Value, frozen=True, kw_only=True):
    """A rule of the format that this file breaks, yet reading could go on.

    `kind` is one of knowledge's problem kinds (`truncated`, `overlap`, `duplicate`, ...): rules go by it.
    """

    kind: str
    detail: Saying
    offset: int | None = None


class Header(Value, frozen=True, kw_only=True):
    """`version` is the format's own; `byte_order` is given where it is not little."""

    format: str
    version: str | None = None
    byte_order: str | None = None
    metadata: Mapping[str, Meta] = {}
    tensors: tuple[TensorInfo, ...] = ()
    problems: tuple[Problem, ...] = ()
