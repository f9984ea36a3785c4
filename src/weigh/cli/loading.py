"""A model while it loads: after a second, a terminal is told so."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from weigh.core.engine import Running
from weigh.text import Language, say

if TYPE_CHECKING:
    from weigh.app.offer import Offer

PATIENCE = 1.0


async def loaded(offer: Offer, language: Language, *, quiet: bool) -> Running:
    """Raises EngineError. Whoever gives up waiting lets the model go too."""
    loading = asyncio.ensure_future(offer.start())
    try:
        done, _ = await asyncio.wait({loading}, timeout=PATIENCE)
        if done or quiet or not sys.stderr.isatty():
            return await loading
        from rich.console import Console

        with Console(stderr=True).status(say("run.loading", language, name=offer.name)):
            return await loading
    finally:
        if not loading.done():
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
