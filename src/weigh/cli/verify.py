"""`weigh verify REF`: what is here against lock, hub's list, blobs' names and signature, offline."""

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
    from rich.progress import Progress

    from weigh.app.verify import Asked, Proof
    from weigh.store.reading import Readers

SHOWN_AFTER = 1.0  # seconds


class How(NamedTuple):
    """How it is said, and what is written of it."""

    language: Language
    form: Literal["json", "quiet", "text"]
    sbom: str | None = None
    private_key: str | None = None
    signature: str | None = None


@click.command()
@click.argument("reference", metavar="[REF]", required=False)
@click.option("--lock", metavar="FILE", help="Against this weigh.lock.json (default: the one in the folder).")
@click.option("--signature", metavar="FILE", help="Against this signature; with --sign where to write it.")
@click.option("--public-key", metavar="FILE", help="Whose signature it must be (PEM).")
@click.option("--whole", is_flag=True, help="All that the hub lists must be here.")
@click.option("--sbom", metavar="FILE", help="Write a bill of materials of what is right: CycloneDX 1.6, JSON.")
@click.option("--sign", is_flag=True, help="Sign what is right.")
@click.option("--private-key", metavar="FILE", help="The key to sign with (PEM, elliptic curve).")
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Files at a time (default: one a core).")
@common
def verify(
    reference: str | None,
    lock: str | None,
    signature: str | None,
    public_key: str | None,
    whole: bool,
    sbom: str | None,
    sign: bool,
    private_key: str | None,
    jobs: int | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Are the files here what they should be? No connection is ever opened."""
    from weigh.app.verify import Asked
    from weigh.cli.report import form_of

    how = How(language_of(lang), form_of(as_json, quiet), sbom, private_key, signature)
    try:
        _check(reference or lock, how, sign=sign, public_key=public_key)
        against = signature if not sign else None
        beside = tuple(path for path in (sbom, signature, private_key) if path is not None)
        asked = Asked(reference=reference, lock=lock, signature=against, public_key=public_key, whole=whole)
        asked = replace(asked, beside=beside, every_hash=sbom is not None)
        return _run(asked, how, jobs or os.cpu_count() or 1)
    except WeighError as error:
        return _fail(error, how)


def _check(asked: str | None, how: How, *, sign: bool, public_key: str | None) -> None:
    """Raises BadReference for options that do not go together."""
    if asked is None:
        raise BadReference("verify.one_reference")
    if sign != (how.private_key is not None) or (sign and public_key is not None):
        raise BadReference("verify.sign")
    if not sign and how.signature is not None and public_key is None:
        raise BadReference("verify.public_key")


def _run(asked: Asked, how: How, jobs: int) -> int:
    from weigh.app.verify import size_of
    from weigh.app.verify import verify as prove
    from weigh.cli.stores import stores
    from weigh.store.reading import Readers

    here = stores()
    shown = how.form == "text" and sys.stderr.isatty()
    screen = _Screen(size_of(asked, here) if shown else 0, how.language, shown=shown)
    readers: Readers = Readers(jobs, threading.Event(), screen.read, screen.tick)
    try:
        proof = prove(asked, here, readers)
    finally:
        screen.close()
    written = _write(proof, how)
    _say(proof, written, how)
    return _exit_status(proof, bool(written))


def _exit_status(proof: Proof, written: bool) -> int:
    """1 where all is right but for files that nobody names; 2 where something is wrong or nobody could tell."""
    if proof.status == "right":
        return 0
    if proof.status == "differs":
        return 1 if all(one.status in ("ok", "extra") for one in proof.files if one.counts) else 2
    vouched = written and bool(proof.files) and not any(one.trouble for one in proof.files)
    return 0 if vouched else 2


def _write(proof: Proof, how: How) -> list[tuple[Literal["sbom", "signature"], str]]:
    """What was asked for beyond the answer; nothing of what is not as it should be or could not be read."""
    written: list[tuple[Literal["sbom", "signature"], str]] = []
    if proof.status == "differs" or not proof.files or any(one.trouble for one in proof.files):
        return written
    if how.sbom is not None:
        from weigh.cli.clock import now
        from weigh.store.sbom import sbom, write_sbom

        files = [one for one in proof.files if one.status != "missing"]
        write_sbom(how.sbom, sbom(proof.about, files, now=now(), version=version("weigh")))
        written.append(("sbom", how.sbom))
    if how.private_key is not None:
        written.append(("signature", _sign(proof, how.private_key, how)))
    return written


def _sign(proof: Proof, private_key: str, how: How) -> str:
    from weigh.store.signature import NAME, sign

    path = how.signature or NAME
    beside = [one for one in (path, how.sbom) if one is not None]
    inside = [os.path.relpath(one, proof.folder) for one in beside]
    ignored = tuple(one.replace(os.sep, "/") for one in inside if not one.startswith(".."))
    sign(proof.folder, path, private_key, links=proof.has_links, ignored=ignored)
    return path


def _say(proof: Proof, written: list[tuple[Literal["sbom", "signature"], str]], how: How) -> None:
    from weigh.cli.verify_words import document, proof_lines, verdict_line

    match how.form:
        case "json":
            from weigh.text.document import to_json

            click.echo(to_json(document(proof, written), how.language))
        case "quiet":
            click.echo(verdict_line(proof, how.language))
        case _:
            for line in proof_lines(proof, written, how.language):
                click.echo(line)


def _fail(error: WeighError, how: How) -> int:
    click.echo(complain(error, how.language), err=True)
    if how.form == "json":
        from weigh.core.schema import SCHEMA
        from weigh.text.document import to_json

        told = {"message": error.saying, "path": error.path, "offset": error.offset}
        failure = {key: value for key, value in told.items() if value is not None}
        click.echo(to_json({"schema": SCHEMA, "status": "failed", "files": [], "error": failure}, how.language))
    return 2


class _Screen:
    """A bar once it takes longer than a moment; nothing where nobody looks."""

    def __init__(self, total: int, language: Language, *, shown: bool) -> None:
        self._total, self._shown = total, shown
        self._said = say("verify.reading", language)
        self._started = time.monotonic()
        self._done = 0
        self._lock = threading.Lock()
        self._progress: Progress | None = None

    def read(self, nbytes: int) -> None:
        """So many bytes more."""
        with self._lock:
            self._done += nbytes

    def tick(self) -> None:
        """A moment passed."""
        from weigh.cli.pull_screen import bar

        if not self._shown or time.monotonic() - self._started < SHOWN_AFTER:
            return
        self._progress = self._progress or bar(self._total)
        self._progress.update(self._progress.task_ids[0], completed=self._done, description=self._said)

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
