"""`weigh pull REF`: fetch what is needed, resumed, verified, checked, then released."""

from __future__ import annotations

import os
import sys
import threading
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, NamedTuple

import click
from msgspec.structs import replace

from weigh.cli.options import common, language_of
from weigh.core.errors import BadReference, WeighError
from weigh.text import Language, complain, say

if TYPE_CHECKING:
    from weigh.app.arrival import Gate
    from weigh.app.network import Network
    from weigh.app.pull import Outcome, Ways
    from weigh.app.pull_plan import Asked
    from weigh.app.stores import Stores
    from weigh.sources.bulk import BulkClient
    from weigh.store.plan import Plan


class How(NamedTuple):
    """How it is said, and what is done of it."""

    language: Language
    form: Literal["json", "quiet", "text"]
    dry_run: bool
    yes: bool
    delete_held: bool


@click.command()
@click.argument("reference", metavar="[REF]", required=False)
@click.option("--to", "folder", metavar="DIR", help="Put the files here, not into a cache.")
@click.option("--layout", type=click.Choice(["hf", "ms"]), help="The cache to put them in (default: of the hub).")
@click.option("--include", multiple=True, metavar="PATTERN", help="Take these files alone. Repeatable.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave these files out. Repeatable.")
@click.option("--from", "prefer", type=click.Choice(["hf", "ms"]), help="Prefer the bytes of this hub.")
@click.option("--also", multiple=True, metavar="REF", help="The same repository on another hub. Repeatable.")
@click.option("--locked", metavar="FILE", help="Pull exactly what this weigh.lock.json says.")
@click.option("--lock", metavar="FILE", help="Write down what was pulled, with every hash.")
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Files at a time.")
@click.option("--limit-rate", metavar="RATE", help="Bytes a second at most: 500K, 10M.")
@click.option("--patience", type=float, default=900.0, show_default=True, help="Seconds to wait for a busy server.")
@click.option("--allow", multiple=True, metavar="MODULE.NAME", help="A name that pickles may import. Repeatable.")
@click.option("--policy", "policy_path", metavar="FILE", help="TOML: hold what it does not allow.")
@click.option("--release-held", is_flag=True, help="Release it whatever was found.")
@click.option("--delete-held", is_flag=True, help="Delete what is held of it.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@common
def pull(
    reference: str | None,
    folder: str | None,
    layout: Literal["hf", "ms"] | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    prefer: Literal["hf", "ms"] | None,
    also: tuple[str, ...],
    locked: str | None,
    lock: str | None,
    jobs: int,
    limit_rate: str | None,
    patience: float,
    allow: tuple[str, ...],
    policy_path: str | None,
    release_held: bool,
    delete_held: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Fetch a model: resumed, verified, checked, and only then where loaders find it."""
    from weigh.app.pull_plan import Asked
    from weigh.cli.report import form_of

    how = How(language_of(lang), form_of(as_json, quiet), dry_run, yes, delete_held)
    try:
        asked = Asked(reference=_one(reference, locked), include=include, exclude=exclude, also=also, prefer=prefer)
        asked = replace(asked, layout=layout, folder=folder, lock=lock)
        ways = ways_of(jobs, limit_rate, offline=offline)._replace(patience=patience)
        return _run(asked, locked, gate_of(policy_path, allow, is_open=release_held), ways, how)
    except WeighError as error:
        return _fail(error, how)


def _one(reference: str | None, locked: str | None) -> str:
    """The reference; empty where a lock stands for one. Raises BadReference for both or neither."""
    if (reference is None) == (locked is None):
        raise BadReference("store.one_reference")
    return reference or ""


def _run(asked: Asked, locked: str | None, gate: Gate, ways: Ways, how: How) -> int:
    from weigh.app.pull import delete
    from weigh.app.pull import pull as carry_out
    from weigh.cli.pull_screen import Screen
    from weigh.cli.stores import stores

    here = stores()
    plan = planned(asked, locked, ways.client, here)
    _show_plan(plan, how)
    if how.dry_run:
        _say(plan, None, how)
        return 0
    if how.delete_held:
        return _say(plan, delete(plan, here), how)
    if plan.to_fetch and not _agreed(how):
        return 2
    screen = Screen(plan, how.language, shown=how.form == "text" and sys.stderr.isatty())
    try:
        outcome = carry_out(plan, here, gate, ways, screen.watch)
    finally:
        screen.close()
    return _say(plan, outcome, how)


def planned(asked: Asked, locked: str | None, client: BulkClient | None, here: Stores) -> Plan:
    """What is to be fetched. Raises WeighError."""
    from weigh.app.network import Network
    from weigh.app.pull_plan import plan, plan_locked
    from weigh.cli.network import site_of
    from weigh.hubs import HUBS
    from weigh.store.lock import read_lock

    network: Network | None = None
    if client is not None:
        network = Network(client=client, sites={hub.id: site_of(hub) for hub in HUBS})
    return plan_locked(read_lock(locked), asked, network, here) if locked else plan(asked, network, here)


def ways_of(jobs: int, limit_rate: str | None, *, offline: bool) -> Ways:
    """A connection (none where there may be none), the clock, and how fast."""
    from weigh.app.pull import Ways
    from weigh.sources.bulk import BulkClient, Surroundings
    from weigh.sources.client import Traffic
    from weigh.store.crew import Stopped

    stop = threading.Event()

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    client = None
    if not offline:
        around = Surroundings(_proxy, os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE"))
        client = BulkClient(Traffic(), wait, around, agent=f"weigh/{version('weigh')}")
    rate = _bytes_of(limit_rate) if limit_rate is not None else None
    return Ways(client, time.monotonic, wait, stop, jobs=jobs, rate=rate)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this address."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxies = getproxies()
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")


def _bytes_of(text: str) -> int:
    """`500K`, `10M`, `1.5G`. Raises BadReference."""
    number, unit = (text[:-1], text[-1:].upper()) if text[-1:].upper() in ("K", "M", "G") else (text, "")
    try:
        rate = int(float(number) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[unit])
    except (ValueError, OverflowError):
        rate = 0
    if rate < 1024:
        raise BadReference("store.rate", text=text)
    return rate


def gate_of(policy_path: str | None, allow: tuple[str, ...], *, is_open: bool) -> Gate:
    """What is looked for when it arrives, and what is then held."""
    from weigh.app.arrival import Gate
    from weigh.app.policy import read_policy
    from weigh.app.wall import check
    from weigh.app.wish import Wish

    policy = read_policy(policy_path) if policy_path is not None else None
    names = (*allow, *(policy.allow if policy is not None else ()))
    wish = Wish(allow=names, jobs=os.cpu_count() or 1)
    return Gate(lambda path: check(path, wish), policy, is_open)


def _agreed(how: How) -> bool:
    """Asked of whoever sits there; where nobody does, to have called it is to agree."""
    if how.yes or how.form != "text" or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(say("pull.ask", how.language), default=True, err=True)


def _show_plan(plan: Plan, how: How) -> None:
    if how.form != "text":
        return
    from rich.console import Console

    from weigh.cli.pull_words import plan_lines

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(plan_lines(plan, how.language))


def _say(plan: Plan, outcome: Outcome | None, how: How) -> int:
    from weigh.cli.pull_words import document, outcome_lines

    held = outcome is not None and outcome.status == "held"
    report = outcome.report if outcome is not None else None
    told = (outcome.status, outcome.folder, outcome.lock, outcome.fetched) if outcome is not None else None
    if how.form == "json":
        from weigh.text.document import to_json

        click.echo(to_json(document(plan, told, report), how.language))
    elif told is not None:
        for line in outcome_lines(plan, told, report, how.language)[-1 if how.form == "quiet" else 0 :]:
            click.echo(line, err=held)
    return int(held)


def _fail(error: WeighError, how: How) -> int:
    click.echo(complain(error, how.language), err=True)
    if how.form == "json":
        from weigh.core.schema import SCHEMA
        from weigh.text.document import to_json

        told = {"message": error.saying, "path": error.path, "offset": error.offset}
        failure = {key: value for key, value in told.items() if value is not None}
        click.echo(to_json({"schema": SCHEMA, "status": "failed", "files": [], "error": failure}, how.language))
    return 2
