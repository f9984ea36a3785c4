"""`weigh export` and `weigh import`: models as single files, for where no network goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from weigh.cli.options import common, language_of
from weigh.core.errors import BadReference, SourceError, WeighError
from weigh.text import complain, say

if TYPE_CHECKING:
    from weigh.app.mirror.snapshot import Snapshot


@click.command()
@click.argument("reference", metavar="DIR|REF")
@click.argument("target", metavar="FILE.tar")
@click.option("--as", "id", metavar="NAMESPACE/NAME", help="Its name (default: the last two of the folder's path).")
@click.option("--sign-key", metavar="FILE", help="Sign with this private key in PEM (pip install 'weigh[sign]').")
@click.option("--policy", metavar="FILE", help="TOML: hold what it does not allow (default: malicious or broken).")
@common
def export(
    reference: str,
    target: str,
    id: str | None,
    sign_key: str | None,
    policy: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Pack a checked model, each file with its hash, into one archive."""
    from weigh.app.mirror.archive import pack
    from weigh.app.mirror.judgement import judge
    from weigh.app.signing import signer

    language = language_of(lang)
    try:
        state = _state()
        snapshot = _snapshot(reference, id, state)
        if not snapshot.files:
            raise SourceError("archives.nothing", path=reference)
        judgement = judge(snapshot, state, policy)
        if judgement.is_held:
            reasons = ", ".join(f"{one.rule} ({one.path})" for one in judgement.reasons)
            click.echo(say("archives.held", language, id=snapshot.place.id, reasons=reasons), err=True)
            return 1
        manifest = pack(snapshot, judgement.verdict, target, signer(sign_key) if sign_key else None)
    except (WeighError, OSError) as error:
        return _fail(error, target, lang)
    if as_json:
        _print_json(manifest, lang)
    elif not quiet:
        key = "archives.exported_signed" if sign_key else "archives.exported"
        click.echo(say(key, language, id=manifest.repository, count=len(manifest.files), path=target))
    return 0


@click.command("import")
@click.argument("archive", metavar="FILE.tar")
@click.option("--to", "folder", metavar="DIR", required=True, help="The folder that weigh mirror serves.")
@click.option("--public-key", metavar="FILE", help="Its signature must be of this key in PEM.")
@click.option("--policy", metavar="FILE", help="TOML: hold what it does not allow (default: malicious or broken).")
@common
def bring(
    archive: str,
    folder: str,
    public_key: str | None,
    policy: str | None,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Unpack an archive of `weigh export`: verified and checked before it is where loaders look."""
    from weigh.app.arrival import is_held
    from weigh.app.mirror.archive import place, unpacked
    from weigh.app.policy import Policy, laid_over, read_policy
    from weigh.app.signing import verifier
    from weigh.app.wall import check
    from weigh.app.wish import Wish

    language = language_of(lang)
    try:
        rules = read_policy(policy) if policy is not None else None
        with unpacked(archive, folder, verifier(public_key) if public_key else None) as (manifest, work):
            wish = Wish(allow=rules.allow if rules is not None else (), jobs=os.cpu_count() or 1)
            report = laid_over(check(work, wish), rules or Policy())
            if is_held(report, rules):
                reasons = ", ".join(f"{one.rule} ({one.path})" for one in report.findings[:5])
                click.echo(say("archives.held", language, id=manifest.repository, reasons=reasons), err=True)
                return 1
            place(work, folder, manifest.repository)
    except (WeighError, OSError) as error:
        return _fail(error, archive, lang)
    if as_json:
        _print_json(manifest, lang)
    elif not quiet:
        key = "archives.imported_signed" if public_key else "archives.imported"
        click.echo(say(key, language, id=manifest.repository, count=len(manifest.files), path=folder))
    return 0


def _snapshot(reference: str, id: str | None, state: str) -> Snapshot:
    """A folder, or what the Hugging Face cache holds of a reference. Raises WeighError."""
    from weigh.app.mirror.shelf import MAIN, Place, Shelf, find, folder_of, is_id
    from weigh.app.mirror.snapshot import scan, take
    from weigh.cli.stores import stores
    from weigh.names.reference import parse

    parsed = parse(reference, exists=os.path.lexists)
    if parsed.hub == "hf":
        shelf = Shelf(root=os.path.realpath(stores().roots["hf"]), is_cache=True)
        found = find(shelf, "models", f"{parsed.namespace}/{parsed.name}")
        folder = folder_of(found, parsed.revision or MAIN) if found is not None else None
        if found is None or folder is None:
            raise SourceError("archives.not_here", path=reference)
        return take(shelf, found, folder, scan(shelf, folder), state)
    folder = os.path.realpath(reference)
    id = id or "/".join(folder.split(os.sep)[-2:])
    if not os.path.isdir(folder):
        raise SourceError("archives.not_here", path=reference)
    if not is_id(id):
        raise BadReference("archives.id", id=id)
    shelf = Shelf(root=folder, is_cache=False)
    place = Place(kind="models", id=id, folders={MAIN: folder})
    return take(shelf, place, folder, scan(shelf, folder), state)


def _state() -> str:
    from weigh.cli.stores import stores

    return os.path.join(stores().home, "export")


def _fail(error: WeighError | OSError, path: str, lang: str | None) -> int:
    if isinstance(error, OSError):
        error = SourceError("cannot_read", path=path, reason=error.strerror or str(error))
    click.echo(complain(error, language_of(lang)), err=True)
    return 2


def _print_json(value: object, lang: str | None) -> None:
    from weigh.text.document import to_json

    click.echo(to_json(value, language_of(lang)))
