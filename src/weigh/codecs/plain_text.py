"""Is a file text, by its first bytes?"""

from __future__ import annotations

import re

from weigh.core.source import Source

HEAD = 1 << 12
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def head_of_text(source: Source) -> bytes | None:
    """The head, if it is text in UTF-8."""
    head = source.read(0, HEAD)
    if not head or _CONTROL.search(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or source.size <= HEAD:  # a letter cut by the window's edge is no fault
            return None
    return head
