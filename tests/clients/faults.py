"""Every scenario: what goes wrong between a client and the private hub, and what is asked for meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal, NamedTuple

from tests.clients.proxy import Deed, Fault, Passing, is_of_a_file

MIB = 1 << 20
ID = "acme/large"
EVIL = "acme/evil"
LARGE = "drivel-Q8_0.gguf"
SMALL = "config.json"
GATED = "acme/large is gated: ask its owner for it"
FLIPPED, HALF, EARLY = 5 * MIB, 14 * MIB, 8 * MIB  # of LARGE, which has over 20 MiB
DEAD = "http://127.0.0.1:9"  # nobody listens there

Act = Literal["once", "killed", "bereft", "dead", "cached", "held", "closed"]


class Scenario(NamedTuple):
    """`act`: the client runs once, is killed where the server stalls and runs again, loses
    every worker of the hub there, finds nobody there, finds nobody
    there but has all, asks for a held model, or has no token. `file` is the one that is looked at."""

    id: str
    fault: Fault
    act: Act = "once"
    file: str = LARGE


def _none(passing: Passing) -> Deed:
    return Deed()


def _of(file: str, deed: Callable[[Passing], Deed]) -> Fault:
    """Done to requests for the file's bytes alone."""
    return lambda passing: (
        deed(passing) if is_of_a_file(passing.method, passing.path) and file in passing.path else Deed()
    )


def _first(deed: Deed) -> Callable[[Passing], Deed]:
    return lambda passing: Deed() if passing.before else deed


def _always(deed: Deed) -> Callable[[Passing], Deed]:
    return lambda passing: deed


def _leak(passing: Passing) -> Deed:
    """As a mirror that passes on what the hub said of its chunks, whose store nobody reaches."""
    if "/xet-read-token/" in passing.path:
        told = {"X-Xet-Cas-Url": DEAD, "X-Xet-Access-Token": "x", "X-Xet-Token-Expiration": "9999999999"}
        return Deed(refusal=(200, told, b"{}"))
    if "/resolve/" not in passing.path:
        return Deed()
    route = f"http://{passing.headers['host']}/api/models/{ID}/xet-read-token/main"
    return Deed(headers={"X-Xet-Hash": "a" * 64, "Link": f'<{route}>; rel="xet-auth"'})


def _gate(passing: Passing) -> Deed:
    """As the hub answers who has not accepted a licence, in the form of the API that is asked."""
    if passing.path.startswith(("/api/v1/", "/openapi/")):
        body = {"Code": 403, "Data": None, "Message": GATED, "RequestId": "-", "Success": False}
        return Deed(refusal=(403, {"Content-Type": "application/json"}, json.dumps(body).encode()))
    told = {"X-Error-Code": "GatedRepo", "X-Error-Message": GATED, "Content-Type": "application/json"}
    return Deed(refusal=(403, told, json.dumps({"error": GATED}).encode()))


BUSY = Deed(refusal=(429, {"Retry-After": "1"}, b"busy"))

SCENARIOS = (
    Scenario("kill", _of(LARGE, _first(Deed(stall=HALF))), "killed"),
    Scenario("workers-killed", _of(LARGE, _first(Deed(stall=HALF))), "bereft"),
    Scenario("drop-once", _of(LARGE, _first(Deed(cut=HALF)))),
    Scenario("drop-always", _of(LARGE, _always(Deed(cut=EARLY)))),
    Scenario("no-ranges", _of(LARGE, _always(Deed(whole=True)))),
    Scenario("no-ranges-drop-once", _of(LARGE, lambda one: Deed(whole=True, cut=None if one.before else HALF))),
    Scenario("no-ranges-drop-always", _of(LARGE, _always(Deed(whole=True, cut=HALF)))),
    Scenario("flip-once", _of(LARGE, _first(Deed(flip=FLIPPED)))),
    Scenario("flip-always", _of(LARGE, _always(Deed(flip=FLIPPED)))),
    Scenario("flip-small", _of(SMALL, _first(Deed(flip=20))), file=SMALL),
    Scenario("busy-once", _of(LARGE, _first(BUSY))),
    Scenario("busy-always", _of(LARGE, _always(BUSY))),
    Scenario("xet", _leak),
    Scenario("dead", _none, "dead", SMALL),
    Scenario("dead-cached", _none, "cached"),
    Scenario("no-token", _none, "closed", SMALL),
    Scenario("gated", _gate, file=SMALL),
    Scenario("held", _none, "held", SMALL),
)
