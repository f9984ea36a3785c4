"""Why a request is not answered, as a value: a status, a code for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from weigh.core.saying import Saying
from weigh.core.work import Fault, FaultKind


class Refusal(Exception):
    """`status` of HTTP; `code` is stable; `retry_after` in seconds, where trying again makes sense.

    `param` is the field of the request that it is about.
    """

    def __init__(
        self, status: int, code: str, saying: Saying, *, retry_after: int | None = None, param: str | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.saying = saying
        self.retry_after = retry_after
        self.param = param
        super().__init__(code)


_STATUS: Mapping[FaultKind, int] = {
    "bad_input": 400,
    "context_overflow": 400,
    "unsupported": 400,
    "out_of_memory": 507,
    "timed_out": 504,
    "engine_died": 502,
    "cancelled": 499,
    "failed": 500,
}
_CODES: Mapping[FaultKind, str] = {"context_overflow": "context_length_exceeded"}


def of_fault(fault: Fault) -> Refusal:
    """What an engine could not do."""
    code = _CODES.get(fault.kind, fault.kind)
    return Refusal(_STATUS[fault.kind], code, Saying(f"fault.{fault.kind}", detail=fault.detail))
