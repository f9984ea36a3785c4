"""weigh tells what an AI model is before it is loaded.

>>> import weigh
>>> size = weigh.name("Qwen3-30B-A3B").size
>>> size.total_b, size.active_b
(30, 3)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weigh.app.ask import Given
    from weigh.app.choose import choose
    from weigh.app.public import check, inspect
    from weigh.app.pull import Pulled
    from weigh.app.weigh import weigh
    from weigh.cli.call import run
    from weigh.cli.python import pull
    from weigh.core.name import Name, Part, Quant, Shard, Size
    from weigh.core.report import Report
    from weigh.names.decode import decode as name

# public name -> module and name in it; loaded when asked for, so that `import weigh` stays light
_PUBLIC = {
    "Given": ("weigh.app.ask", "Given"),
    "Name": ("weigh.core.name", "Name"),
    "Part": ("weigh.core.name", "Part"),
    "Pulled": ("weigh.app.pull", "Pulled"),
    "Quant": ("weigh.core.name", "Quant"),
    "Report": ("weigh.core.report", "Report"),
    "Shard": ("weigh.core.name", "Shard"),
    "Size": ("weigh.core.name", "Size"),
    "check": ("weigh.app.public", "check"),
    "choose": ("weigh.app.choose", "choose"),
    "inspect": ("weigh.app.public", "inspect"),
    "name": ("weigh.names.decode", "decode"),
    "pull": ("weigh.cli.python", "pull"),
    "run": ("weigh.cli.call", "run"),
    "weigh": ("weigh.app.weigh", "weigh"),
}

__all__ = [
    "Given",
    "Name",
    "Part",
    "Pulled",
    "Quant",
    "Report",
    "Shard",
    "Size",
    "check",
    "choose",
    "inspect",
    "name",
    "pull",
    "run",
    "weigh",
]


def __getattr__(asked: str) -> object:
    if asked not in _PUBLIC:
        raise AttributeError(f"module 'weigh' has no attribute {asked!r}")
    module, own = _PUBLIC[asked]
    return getattr(importlib.import_module(module), own)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
