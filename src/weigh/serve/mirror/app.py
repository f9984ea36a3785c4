"""The private hub as an application: every route, who may ask, what is refused, and the log."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from weigh.core.errors import WeighError
from weigh.core.saying import Saying
from weigh.serve.mirror import access, huggingface, modelscope, ollama, operator
from weigh.serve.mirror.answers import refused
from weigh.serve.mirror.library import Library
from weigh.serve.mirror.refusal import Refusal, no_route
from weigh.text import Language

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Write = Callable[[str], None]

OPEN = ("/health", "/api/agent-harnesses", "/api/v1/login", "/api/v1/repos/internalAccelerationInfo")
MOST_BODY = 1 << 20  # bytes
MOST_FIELD = 16 << 10  # bytes of one line of a request's head
MOST_SHOWN = 500  # characters of a path in the log
FAMILIES = (operator.routes, modelscope.routes, ollama.routes, huggingface.routes)


def create(library: Library, language: Language, log: Write | None) -> web.Application:
    """`log` takes one line a request."""
    seats = _Seats(library.settings.most_requests)

    @web.middleware
    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        response: web.StreamResponse | None = None
        try:
            response = await _answer(request, handler, library, seats, language)
            return response
        except ConnectionError:
            return _to_nobody(request)
        finally:
            if log is not None:
                log(_line(request, response, time.monotonic() - started))

    app = web.Application(middlewares=[answered], client_max_size=MOST_BODY)
    for family in FAMILIES:
        app.add_routes(family(library))

    async def closed(app: web.Application) -> None:
        await library.close()

    async def named(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "weigh"

    app.on_cleanup.append(closed)
    app.on_response_prepare.append(named)
    return app


def _to_nobody(request: web.Request) -> web.Response:
    """For a client that left in the middle, or was cut off: it is no error, and nothing more is sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


class _Seats:
    """How many requests are under way."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def __enter__(self) -> None:
        if self.taken >= self.most:
            raise Refusal(503, "Other", Saying("mirror.busy"))
        self.taken += 1

    def __exit__(self, *error: object) -> None:
        self.taken -= 1


async def _answer(
    request: web.Request, handler: Handler, library: Library, seats: _Seats, language: Language
) -> web.StreamResponse:
    """Whatever goes wrong is told in the form of the API that was asked."""
    try:
        request["role"] = access.role_of(request, library.settings)
        if request["role"] == "none" and request.path not in OPEN:
            raise access.refusal()
        with seats:
            return await handler(request)
    except Refusal as refusal:
        return refused(refusal, request, language)
    except web.HTTPException as error:
        if error.status in (404, 405):
            return refused(no_route(), request, language)
        return refused(Refusal(error.status, "Other", Saying("mirror.body")), request, language)
    except (OSError, WeighError) as error:
        if isinstance(error, ConnectionError):
            raise
        return refused(Refusal(500, "Other", Saying("mirror.failed")), request, language)


def _line(request: web.Request, response: web.StreamResponse | None, seconds: float) -> str:
    """One JSON object; nothing in it can end the line, and no token is in it."""
    told = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "from": request.remote,
        "method": request.method,
        "path": request.rel_url.raw_path_qs[:MOST_SHOWN],
        "status": response.status if response is not None else 499,
        "bytes": request.get("sent", _length(response)),
        "seconds": round(seconds, 4),
        "agent": request.headers.get("User-Agent", "")[:200],
        "role": request.get("role"),
    }
    return msgspec.json.encode({key: _printable(value) for key, value in told.items()}).decode()


def _length(response: web.StreamResponse | None) -> int:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else 0


def _printable(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
