"""What the server under us says of requests that are none: a line of the log, never a page of its own code."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import msgspec
from aiohttp.http_exceptions import HttpProcessingError


def logger(log: Callable[[str], None] | None) -> logging.Logger:
    """For the server: faults of ours are still told whole; who was cut off, or sent what is no HTTP, is not.

    What was sent is not repeated: a token may stand in it.
    """

    def is_ours(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError) and log is not None:
            log(_line(record.args, error.code))
        return not isinstance(error, (HttpProcessingError, ConnectionError))

    made = logging.Logger("weigh.mirror", logging.WARNING)
    made.parent = logging.getLogger()
    made.addFilter(is_ours)
    return made


def _line(args: object, status: int) -> str:
    told = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "from": str(args[0]) if isinstance(args, tuple) and args else None,
        "method": None,
        "path": None,
        "status": status,
        "bytes": 0,
    }
    return msgspec.json.encode(told).decode()
