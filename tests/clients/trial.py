"""One client in one scenario: what it did, seen from outside, and the one word for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from tests.clients.faults import EVIL, GATED, HALF, ID, MIB, Scenario
from tests.clients.proxy import Proxy, standing_before
from tests.clients.takers import Errand, Taker, arrived
from tests.serve.hub import Mirror, workers

STALLS = 60.0  # seconds in which a client comes to the point where the server stalls
MOST_SENT = 120 * MIB  # bytes of files after which a client is stopped: five times the large one
SLACK = 1 << 16  # bytes that are in a killed client's memory and not on disk
SAID = "said.txt"
REASONS = {
    "dead": r"(?i)connect|refused|reach",
    "no-token": r"(?i)token|credential|unauthori|authenticat",
    "gated": f"(?i){re.escape(GATED)}|requires approval",
    "held": "acme/evil is held by weigh",
}


class World(NamedTuple):
    """The mirrors (the second gives nothing without a token), what they give, a certificate and its key."""

    root: Path
    open: Mirror
    closed: Mirror
    certificate: tuple[Path, Path]


class Ended(NamedTuple):
    """A status, None where it was stopped, and what was said."""

    status: int | None
    said: str


class Facts(NamedTuple):
    """What was seen. `status` is None where it was stopped; `right` None where no file is there under its name;
    `kept` are bytes on disk, `left` how many of them the repository has not; `sent` are those of the file that went out,
    `again` how many more than it has; `anew`: it was asked for from its start more than once."""

    status: int | None
    right: bool | None
    kept: int
    left: int
    sent: int
    again: int
    anew: bool
    said: str


def tried(taker: Taker, scenario: Scenario, world: World, home: Path, bound: float) -> Facts:
    """The scenario played to its end; a client that does not end in `bound` seconds is stopped."""
    upstream = world.closed if scenario.act == "closed" else world.open
    id = EVIL if scenario.act == "held" else ID
    want = (world.root / id / scenario.file).read_bytes()
    home.mkdir(parents=True)
    with standing_before(upstream.url, world.certificate if taker.is_encrypted else None) as proxy:
        proxy.fault = scenario.fault
        errand = Errand(proxy.url, id, scenario.file, home, world.certificate[0])
        if scenario.act == "killed":
            _kill(taker, errand, proxy)
        if scenario.act == "bereft":
            ended = _run(taker, errand, proxy, bound, lambda: _end_workers(world.open, proxy))
        elif scenario.act != "dead":
            ended = _run(taker, errand, proxy, bound)
    if scenario.act in ("dead", "cached"):
        ended = _run(taker, errand, proxy, bound)
    kept = sum(_sizes(home))
    found = [path.read_bytes() == want for path in arrived(taker, home, errand.file)]
    sent = [one for one in proxy.sent if errand.file in one.path]
    return Facts(
        status=ended.status,
        right=all(found) if found else None,
        kept=kept,
        left=kept - sum(_sizes(world.root / id)),
        sent=sum(one.nbytes for one in sent),
        again=sum(one.nbytes for one in sent) - len(want),
        anew=sum(one.start == 0 and one.stop == len(want) for one in sent) > 1,
        said=" ".join(ended.said.split()),
    )


def word(scenario: Scenario, facts: Facts) -> str:
    """The outcome."""
    if facts.status is None:
        return "loops" if facts.again > 0 else "hangs"
    if facts.status == 0:
        return _word_of_success(scenario, facts)
    if scenario.id in REASONS:
        return "told" if re.search(REASONS[scenario.id], facts.said) else "mute"
    if scenario.id == "dead-cached":
        return "fails"
    if facts.right is False:
        return "part"
    if scenario.id.startswith("flip"):
        return "refuses"
    if not facts.sent:
        return "ends"
    return "keeps" if facts.kept >= MIB else "loses"


def _word_of_success(scenario: Scenario, facts: Facts) -> str:
    if not facts.right:
        return "wrong" if facts.right is False else "nothing"
    if scenario.id == "dead-cached":
        return "cached"
    if facts.again <= (SLACK if scenario.act == "killed" else 0):
        return "once"
    if facts.left > MIB:
        return "litters"
    return "anew" if facts.anew else "partly"


def _run(taker: Taker, errand: Errand, proxy: Proxy, bound: float, midway: Callable[[], None] = lambda: None) -> Ended:
    """To its end or the bound's; `midway` is done once the server stalls."""
    said, until = errand.home / SAID, time.monotonic() + bound
    with said.open("wb") as out, _started(taker, errand, out) as process:
        while process.poll() is None:
            if proxy.stalled.is_set() and not proxy.broken.is_set():
                midway()
            if time.monotonic() > until or sum(one.nbytes for one in proxy.sent) > MOST_SENT:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return Ended(None, said.read_text("utf-8", "replace"))
            time.sleep(0.01)
    return Ended(process.returncode, said.read_text("utf-8", "replace"))


def _started(taker: Taker, errand: Errand, out: IO[bytes] | int) -> subprocess.Popen[bytes]:
    run = taker.run(errand)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        run.command,
        env=dict(run.environment),
        stdin=quiet,
        stdout=out,
        stderr=out,
        cwd=errand.home,
        start_new_session=True,
    )


def _end_workers(mirror: Mirror, proxy: Proxy) -> None:
    for worker in workers(mirror):
        os.kill(worker, signal.SIGKILL)
    proxy.broken.set()


def _kill(taker: Taker, errand: Errand, proxy: Proxy) -> None:
    """Once it has written down what it got before the server stalled."""
    process = _started(taker, errand, subprocess.DEVNULL)
    try:
        assert proxy.stalled.wait(STALLS)
        before, until = -1, time.monotonic() + 3
        while (now := sum(_sizes(errand.home))) not in (before, HALF) and time.monotonic() < until:
            before = now
            time.sleep(0.3)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _sizes(home: Path) -> list[int]:
    """Of every plain file."""
    found = []
    for path in home.rglob("*"):
        try:
            found.append(path.lstat().st_size if path.is_file() and not path.is_symlink() and path.name != SAID else 0)
        except OSError:
            continue
    return found
