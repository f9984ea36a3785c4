"""JSON decoded straight into a shape: what the shape does not name is checked and skipped, never built."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from weigh.core.errors import Malformed, OverBudget

T = TypeVar("T")

_BYTE = re.compile(r"\(byte (\d+)\)$")


def decode_shape(data: bytes, shape: type[T], *, path: str) -> T | None:
    """The value; None where it is JSON of another shape.

    Raises Malformed for what is not JSON in UTF-8, OverBudget for nesting deeper than the interpreter's own bound.
    """
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError:
        return None
    except msgspec.DecodeError as error:
        found = _BYTE.search(str(error))
        raise Malformed("json.syntax", path=path, offset=int(found[1]) if found else None) from error
    except UnicodeDecodeError as error:
        raise Malformed("json.utf8", path=path, offset=error.start) from error
    except RecursionError as error:
        raise OverBudget("json.depth", path=path, most=1000) from error
