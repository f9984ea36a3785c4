"""`weigh mirror DIR`: a private hub for the stock clients."""

from __future__ import annotations

import os
import re
import secrets
import socket
import ssl
import string
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click
import msgspec

from weigh.cli.options import common, language_of
from weigh.core.errors import SourceError, WeighError
from weigh.text import complain

if TYPE_CHECKING:
    from weigh.cli.mirror_fetch import Wanted
    from weigh.cli.mirror_workers import Hub
    from weigh.serve.mirror.settings import Settings

_SIGNS = string.ascii_letters + string.digits


@click.command()
@click.argument("root", metavar="[DIR]", required=False)
@click.option("--cache", is_flag=True, help="Serve the Hugging Face cache of this machine (or DIR, laid out as one).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="Port; 0 picks one.")
@click.option(
    "--token", "tokens", multiple=True, envvar="WEIGH_MIRROR_TOKENS", help="A token to read with; repeatable."
)
@click.option(
    "--admin-token",
    "admin_tokens",
    multiple=True,
    envvar="WEIGH_MIRROR_ADMIN_TOKENS",
    help="A token to hold and release with.",
)
@click.option("--new-token", is_flag=True, help="Print a new token and stop.")
@click.option("--policy", metavar="FILE", help="TOML: hold what it does not allow (default: malicious or broken).")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that serve.")
@click.option("--tls-certificate", metavar="FILE", help="Certificate in PEM: then it speaks HTTPS.")
@click.option("--tls-key", metavar="FILE", help="Its key in PEM.")
@click.option("--upstream", metavar="hf|URL", help="Fetch from there what is not here: verified, checked, kept.")
@click.option(
    "--renew-hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    help="Ask the upstream anew for what came from it after so long; 0 never.",
)
@click.option("--fetch", "references", multiple=True, metavar="REF", help="Pull this model ahead; repeatable.")
@click.option("--fetch-list", metavar="FILE", help="Pull the models that FILE names, a line each.")
@click.option("--fetch-only", is_flag=True, help="Pull them and stop.")
@click.option("--access-log", metavar="FILE", help="Write one JSON line a request; - is standard error.")
@click.option("--state", metavar="DIR", help="Where hashes and verdicts are kept (default: weigh's own folder).")
@click.option("--drain-seconds", type=float, default=10.0, show_default=True, help="Time for downloads at the end.")
@click.option(
    "--quiet-seconds", type=float, default=20.0, show_default=True, help="A connection may be silent so long."
)
@click.option("--patience", type=float, default=50.0, show_default=True, help="Seconds to wait for a check.")
@common
def mirror(
    root: str | None,
    cache: bool,
    host: str,
    port: int,
    new_token: bool,
    workers: int,
    tls_certificate: str | None,
    tls_key: str | None,
    access_log: str | None,
    upstream: str | None,
    renew_hours: float,
    references: tuple[str, ...],
    fetch_list: str | None,
    fetch_only: bool,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
    **given: object,
) -> int:
    """A private hub over checked models, for stock clients."""
    from weigh.cli.mirror_workers import Hub, fill_only

    language = language_of(lang)
    if new_token:
        return _new_token()
    try:
        folder = _root(root, cache=cache)
        settings = _settings(folder, given)
        encryption = _encryption(tls_certificate, tls_key)
        far = _checked(None if offline else upstream)
        _check_log(access_log)
        ahead = _models(references, fetch_list, offline=offline)
        hub = Hub(folder, cache, settings, encryption, language, access_log, far, renew_hours * 3600, ahead)
        return fill_only(hub) if fetch_only else _served(hub, host, port, workers)
    except WeighError as error:
        click.echo(complain(error, language), err=True)
        return 2


def _new_token() -> int:
    click.echo("hf_" + "".join(secrets.choice(_SIGNS) for _ in range(34)))
    return 0


def _served(hub: Hub, host: str, port: int, workers: int) -> int:
    """Raises SourceError where nobody can listen."""
    from weigh.cli.mirror_workers import run

    listeners = _listeners(host, port, workers)
    scheme = "https" if hub.encryption is not None else "http"
    shown = f"[{host}]" if ":" in host else host
    return run(hub, listeners, f"listening on {scheme}://{shown}:{listeners[0].getsockname()[1]}")


def _models(references: tuple[str, ...], listing: str | None, *, offline: bool) -> tuple[Wanted, ...]:
    """What is pulled ahead. Raises BadReference, SourceError."""
    from weigh.cli.mirror_fetch import wanted

    models = wanted(references, listing)
    if models and offline:
        raise SourceError("mirror.fill_offline")
    return models


def _checked(upstream: str | None) -> str | None:
    """Raises SourceError for what is no address."""
    if upstream not in (None, "hf") and not re.fullmatch(r"https?://[^\s/]+(?:/\S*)?", upstream or ""):
        raise SourceError("mirror.upstream", text=upstream)
    return upstream


def _check_log(path: str | None) -> None:
    """Raises SourceError where no line can be written."""
    from weigh.cli.mirror_log import log_to

    log_to(path)


def _settings(folder: str, given: dict[str, object]) -> Settings:
    """What would fail at the first request fails here. Raises SourceError, TableError."""
    from weigh.serve.mirror.settings import Settings

    settings = msgspec.convert({**given, "state": given["state"] or _state(folder)}, Settings)
    _check_tokens((*settings.tokens, *settings.admin_tokens))
    _try_out(settings)
    return settings


def _root(root: str | None, *, cache: bool) -> str:
    """The real folder to serve. Raises SourceError, also where the server's library is missing."""
    from weigh.cli.stores import stores

    if find_spec("aiohttp") is None:
        raise SourceError("mirror.missing")
    if root is None and not cache:
        raise SourceError("mirror.nothing")
    folder = root if root is not None else stores().roots["hf"]
    if not os.path.isdir(folder):
        raise SourceError("mirror.no_folder", path=folder)
    return os.path.realpath(folder)


def _state(folder: str) -> str:
    from weigh.cli.stores import stores

    return os.path.join(stores().home, "mirror", sha256(os.fsencode(folder)).hexdigest()[:16])


def _check_tokens(tokens: tuple[str, ...]) -> None:
    """Raises SourceError for a token that some clients would silently not send."""
    from weigh.serve.mirror.settings import TOKEN

    if any(not TOKEN.fullmatch(token) for token in tokens):
        raise SourceError("mirror.token_shape")


def _try_out(settings: Settings) -> None:
    if settings.policy is not None:
        from weigh.app.policy import read_policy

        read_policy(settings.policy)
    try:
        os.makedirs(settings.state, exist_ok=True)
    except OSError as error:
        raise SourceError("mirror.state", path=settings.state, reason=error.strerror or str(error)) from error


def _encryption(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """Raises SourceError."""
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SourceError("mirror.certificate", path=certificate, reason=str(error)) from error
    return context


def _listeners(host: str, port: int, number: int) -> list[socket.socket]:
    """One a worker, all on one port: the kernel deals connections out evenly. Raises SourceError.

    This process keeps them all open: what waits at a worker that died is served by the one in its place.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listeners: list[socket.socket] = []
    try:
        for at in range(number):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if number > 1:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind((host, listeners[0].getsockname()[1] if at else port))
            listener.listen(512)
    except (OSError, AttributeError) as error:
        for listener in listeners:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError("serve.bind", host=host, port=port, reason=reason) from error
    return listeners
