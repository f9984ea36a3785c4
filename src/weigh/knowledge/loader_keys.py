"""Keys of configuration files that make a loader import, fetch or render something."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

KeyKind = Literal["code", "flag", "kernel", "library", "target", "template"]


class LoaderKey(Row, frozen=True, kw_only=True):
    """`id` is the key. code: names classes in Python files of the folder or of another repository; flag: trusts all
    code; kernel: may name a repository of kernels; library: names a module; target: names what is called."""

    kind: KeyKind


@functools.cache
def loader_keys() -> Mapping[str, LoaderKey]:
    """Rows by id."""
    return {row.id: row for row in read_table("loader_keys", LoaderKey)}
