"""What a private hub may be told."""

from __future__ import annotations

import re

from weigh.core.value import Value

TOKEN = re.compile(r"hf_[A-Za-z0-9]{34,253}")  # llama.cpp sends no token of another shape


class Settings(Value, frozen=True, kw_only=True):
    """`state` is the folder where hashes and verdicts are kept. Without `tokens` everybody may read.

    `patience`: seconds that a request waits for a model that is being hashed and checked; `drain_seconds`: how long
    downloads may go on after the end was asked for; `quiet_seconds`: how long a connection may ask for nothing whole;
    `most_requests` at once in one worker.
    """

    state: str
    tokens: tuple[str, ...] = ()
    admin_tokens: tuple[str, ...] = ()
    policy: str | None = None
    patience: float = 50.0
    drain_seconds: float = 10.0
    quiet_seconds: float = 20.0
    most_requests: int = 1000
    page: int = 1000
