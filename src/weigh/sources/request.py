"""One GET answered: redirects followed, a busy server waited for, a refusal put into words."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec

from weigh.core.value import Value
from weigh.sources.client import Answer, Client
from weigh.sources.refusals import NotFetched, Refused

MOST_REDIRECTS = 5
MOST_TRIES = 4  # of one request, the first included
MOST_SLOW = 2  # of them may end for want of an answer
MOST_WAIT = 30.0  # seconds that a busy server may ask us to wait
MOST_REASON = 4096
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 500, 502, 503, 504})
_PORTS = {"http": 80, "https": 443}


class Access(Value, frozen=True, kw_only=True):
    """Who we are to one server: `headers` that only this origin ever sees.

    `variable` is the environment variable that would hold the token, where there is one.
    """

    origin: str = ""
    headers: Mapping[str, str] = {}
    variable: str | None = None


class Ask(Value, frozen=True, kw_only=True):
    """What is asked for; `path` is how errors call it."""

    url: str
    path: str
    headers: Mapping[str, str] = {}
    access: Access = Access()


class Answered(NamedTuple):
    """The answer and the address that gave it. Whoever asked closes it."""

    answer: Answer
    url: str


def ask(client: Client, what: Ask) -> Answered:
    """The answer: 200, 206 or 416. Raises NotFetched, Refused, and what the client raises for a lost connection."""
    url, waited = what.url, 0.0
    redirects, tries = 0, 0
    while True:
        answer = client.get(url, _headers(what, url))
        if answer.status in (200, 206, 416):
            return Answered(answer, url)
        try:
            if answer.status in _REDIRECTS and redirects < MOST_REDIRECTS:
                _said(answer)  # a connection whose answer was heard to the end serves again
                url, redirects = _target(answer, url, what.path), redirects + 1
                continue
            if answer.status in _BUSY:
                tries += 1
                seconds = _seconds(answer, tries)
                if tries < MOST_TRIES and waited + seconds <= MOST_WAIT:
                    client.wait(seconds)
                    waited += seconds
                    continue
            raise _refusal(answer, what, tries)
        finally:
            answer.close()


def fetch(client: Client, what: Ask, *, most: int) -> tuple[bytes, Answered]:
    """A whole body of at most so many bytes, and its answer, closed. Raises NotFetched."""
    tries = 0
    while True:
        try:
            answered = ask(client, what)
            try:
                return _body(answered.answer, what.path, most), answered
            finally:
                answered.answer.close()
        except (ConnectionError, TimeoutError) as error:
            tries += 1
            try_again(client, error, tries, path=what.path)


def try_again(client: Client, error: OSError, tries: int, *, path: str, offset: int | None = None) -> None:
    """Wait a moment before the next try of a connection that failed; NotFetched where it failed too often."""
    slow = isinstance(error, TimeoutError)
    if tries >= (MOST_SLOW if slow else MOST_TRIES):
        key = "http.slow" if slow else "http.cut"
        raise NotFetched(key, path=path, offset=offset, tries=tries, reason=str(error)) from error
    client.wait(0.25 * 2**tries)


def _body(answer: Answer, path: str, most: int) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise NotFetched("http.encoded", path=path, encoding=answer.headers["content-encoding"])
    body = bytearray()
    for chunk in answer.chunks():
        body += chunk
        if len(body) > most:
            raise NotFetched("http.too_large", path=path, most=most)
    said = answer.headers.get("content-length", "")
    if said.isdecimal() and len(said) < 19 and len(body) < int(said):
        raise ConnectionError(f"{len(body)} of {said} bytes")
    return bytes(body)


def origin_of(url: str) -> str:
    """Scheme, host and port: what a secret is for."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def _headers(what: Ask, url: str) -> dict[str, str]:
    secret = what.access.headers if what.access.origin and origin_of(url) == what.access.origin else {}
    return {"accept-encoding": "identity", **what.headers, **secret}


def _target(answer: Answer, url: str, path: str) -> str:
    """Where a redirect leads: to http or https, and never from https down to http."""
    target = urljoin(url, answer.headers.get("location", ""))
    scheme = urlsplit(target).scheme if origin_of(target) else ""
    if scheme not in _PORTS or (urlsplit(url).scheme == "https" and scheme == "http"):
        raise NotFetched("http.redirect", path=path, url=target)
    return target


def _seconds(answer: Answer, tries: int) -> float:
    """How long the server asks us to wait, as seconds or as a date by its own clock; else longer each time."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isdecimal() and len(asked) < 10:
        return float(asked)
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(answer.headers.get("date", ""))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 2.0 ** (tries - 1)


def _refusal(answer: Answer, what: Ask, tries: int) -> NotFetched:
    """An answer that gives nothing, as one of our errors."""
    status, variable = answer.status, what.access.variable
    if status in _REDIRECTS:
        return NotFetched("http.redirects", path=what.path, most=MOST_REDIRECTS)
    if status in _BUSY:
        return NotFetched("http.busy", path=what.path, status=status, seconds=_seconds(answer, tries))
    if status not in (401, 403):
        reason = _reason(answer)
        if status in (404, 410):
            return NotFetched("http.missing", path=what.path, status=status, reason=reason)
        return NotFetched("http.status", path=what.path, status=status, reason=reason)
    if variable is None or answer.headers.get("x-error-code") == "Held":  # by a mirror of ours: no token opens it
        return Refused("http.refused", path=what.path, status=status, reason=_reason(answer))
    if answer.headers.get("x-error-code") in ("RepoNotFound", "RevisionNotFound", "EntryNotFound"):
        return Refused("http.unseen", path=what.path, variable=variable)
    return Refused("http.gated", path=what.path, status=status, variable=variable, reason=_reason(answer))


class _Said(msgspec.Struct):
    """How the hubs word a refusal."""

    error: str | None = None
    Message: str | None = None


def _reason(answer: Answer) -> str:
    """What the server says of it, else what the status means."""
    if said := answer.headers.get("x-error-message"):
        return said
    body = _said(answer)
    try:
        told = msgspec.json.decode(body, type=_Said)
        if said := told.error or told.Message:
            return said
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return HTTPStatus(answer.status).phrase
    except ValueError:
        return "-"


def _said(answer: Answer) -> bytes:
    """The first bytes of a body that is only words, all of it where it is short."""
    body = b""
    try:
        for chunk in answer.chunks():
            body += chunk
            if len(body) > MOST_REASON:
                break
    except (ConnectionError, TimeoutError):
        return b""
    return body
