"""Every sample over the network is what it is here, however little of it comes at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.loopback import Asked, Reply, ranged
from weigh.app.examine import examine_whole
from weigh.sources import http
from weigh.sources.http import HttpSource
from weigh.sources.memory import MemorySource
from weigh.sources.request import Ask

ROOT = Path(__file__).parents[1] / "samples"
SAMPLES = sorted(path for path in ROOT.rglob("*") if path.is_file() and path.suffix != ".json")


class Said:
    def __init__(self, reply: Reply) -> None:
        self.status, self.headers, self.body = reply.status, reply.headers, reply.body

    def chunks(self) -> Iterator[bytes]:
        yield self.body

    def close(self) -> None:
        pass


class Near:
    """A client whose server is this process."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def get(self, url: str, headers: Mapping[str, str]) -> Said:
        return Said(ranged(Asked(url, headers), self.data))

    def wait(self, seconds: float) -> None:
        raise AssertionError


@pytest.mark.parametrize("first", [64, http.FIRST])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_sample_over_the_network_is_what_it_is_here(path: Path, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FIRST", first), ("LAST", first), ("AFTER_MANY", first), ("MOST_REQUESTS", 1 << 20)):
        monkeypatch.setattr(http, name, value)
    data = path.read_bytes()
    there = examine_whole(HttpSource(Near(data), Ask(url="http://near/m", path="m"), size=len(data)))
    assert there == examine_whole(MemorySource(data, path="m"))
