"""A loader called upon bytes that are seen is judged by those bytes; called in any other way it is judged dangerous."""

from __future__ import annotations

import pickle

import pytest

from weigh.app.examine import examine
from weigh.core.rule import Evidence
from weigh.rules import judge
from weigh.sources.memory import MemorySource

HOSTILE = b"cposix\nsystem\n(S'true'\ntR."
HONEST = pickle.dumps({"a": 1}, protocol=2)
LOADER = b"ctorch.storage\n_load_from_bytes\n"


def blob(data: bytes) -> bytes:
    return b"B" + len(data).to_bytes(4, "little") + data


def text(data: bytes) -> bytes:
    return b"X" + len(data).to_bytes(4, "little") + data


# Bytes put together while loading, by a function that is itself harmless.
COMPUTED = b"c_codecs\nencode\n" + text(HOSTILE) + text(b"latin1") + b"\x86R"
SEEN = blob(HONEST) + b"\x85R"

DANGEROUS = {
    "computed bytes": LOADER + COMPUTED + b"\x85R.",
    "seen bytes first, then computed ones through the memo": LOADER
    + b"q\x00"
    + SEEN
    + b"0h\x00"
    + COMPUTED
    + b"\x85R.",
    "two seen calls, then a computed one": LOADER
    + b"q\x00"
    + SEEN
    + b"0h\x00"
    + SEEN
    + b"0"
    + LOADER
    + COMPUTED
    + b"\x85R.",
    "doubled on the stack": LOADER + b"2" + SEEN + b"0" + COMPUTED + b"\x85R.",
    "handed on to another function": LOADER + b"q\x00" + SEEN + b"0cfunctools\npartial\nh\x00" + COMPUTED + b"\x86R.",
    "seen bytes that are hostile": LOADER + blob(HOSTILE) + b"\x85R.",
}


def verdicts(stream: bytes) -> set[str | None]:
    file = examine(MemorySource(b"\x80\x03" + stream, path="model.bin"))
    findings, _ = judge(Evidence(files=(file,)))
    return {finding.verdict for finding in findings}


def test_seen_and_honest_bytes_are_no_finding() -> None:
    assert verdicts(LOADER + SEEN + b".") == set()


@pytest.mark.parametrize("case", list(DANGEROUS))
def test_any_other_way_is_malicious(case: str) -> None:
    assert "malicious" in verdicts(DANGEROUS[case])
