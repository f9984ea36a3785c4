"""A loaded model that takes arrays and gives arrays, whatever library holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from weigh.core.engine import Candidate, Ready
from weigh.core.work import Compute, Done, Event, Fault, Job, Tensors, Work, work_of
from weigh.engines.arrays import Port, array_of, bound

Infer = Callable[[dict[str, Any]], Mapping[str, Any]]


class Plain:
    """One job at a time."""

    def __init__(self, ports: Sequence[Port], infer: Infer) -> None:
        self._ports = ports
        self._infer = infer
        self.ready = Ready(works=("compute",), parallel=1)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """All outputs at once."""
        if not isinstance(job, Compute):
            yield Fault(kind="unsupported", detail=f"a plain model does not {work_of(job)}")
            return
        made = self._infer(bound(job.arrays, self._ports))
        yield Tensors(arrays=tuple(array_of(name, value) for name, value in made.items()))
        yield Done()


def outputs(made: Any, names: Sequence[str] = ()) -> dict[str, Any]:
    """One output, several or a table of them, each under a name."""
    if isinstance(made, Mapping):
        return {str(name): value for name, value in made.items()}
    several = list(made) if isinstance(made, list | tuple) else [made]
    called = names if len(names) == len(several) else [f"output_{number}" for number in range(len(several))]
    return dict(zip(called, several, strict=True))


def works_of(*formats: str) -> Callable[[Candidate], tuple[Work, ...]]:
    """Any model of these formats computes."""

    def works(candidate: Candidate) -> tuple[Work, ...]:
        return ("compute",) if candidate.format in formats else ()

    return works
