"""What a sync is asked to do, and what it hands to each source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from weigh.app.network import Network
from weigh.core.value import Value
from weigh.knowledge.synced import Heard


class Installed(NamedTuple):
    """A package that is installed here, as a folder of files; none of them is ever imported."""

    version: str
    folder: str


class Inquiry(Value, frozen=True, kw_only=True):
    """`network` is None offline; `addresses` and `installed` are by the sources' ids; `day` is today's date."""

    day: str
    network: Network | None = None
    addresses: Mapping[str, str] = {}
    installed: Mapping[str, Installed] = {}


class Publisher(NamedTuple):
    """A source: `far` needs the network; `hear` raises WeighError and then leaves nothing behind."""

    id: str
    hear: Callable[[Inquiry], Heard]
    far: bool = True
