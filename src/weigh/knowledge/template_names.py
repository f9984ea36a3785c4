"""Names in chat templates that lead out of the conversation."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table


class TemplateName(Row, frozen=True, kw_only=True):
    """`internal`: an attribute of Python's own objects; `object`: a global that no chat needs; `helper`: one it may."""

    kind: Literal["internal", "object", "helper"]


@functools.cache
def template_names() -> Mapping[str, TemplateName]:
    """Rows by id."""
    return {row.id: row for row in read_table("template_names", TemplateName)}
