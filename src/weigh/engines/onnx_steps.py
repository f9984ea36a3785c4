"""A text through a decoder's graph, token by token: with the cache that it keeps, or read whole each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weigh.core.engine import Failed
from weigh.core.work import Fault

_TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}
_KNOWN = {"input_ids", "attention_mask", "position_ids", "use_cache_branch", "num_logits_to_keep"}


class Graph:
    """A session, and the names that exporters give to what a graph keeps: past_key_values.N.key, present.N.key.

    Raises Failed for a graph that wants anything else.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        self.inputs = {one.name: one for one in session.get_inputs()}
        outputs = {one.name for one in session.get_outputs()}
        strange = self.inputs.keys() - _KNOWN
        self.kept = {name: present for name in sorted(strange) if (present := _present(name, outputs)) is not None}
        self.gives = sorted(name for name in outputs if name.startswith("present"))
        if strange := strange - self.kept.keys():
            raise Failed(Fault(kind="unsupported", detail=f"its graph wants {', '.join(sorted(strange)[:3])}"))

    def empty(self) -> dict[str, Any]:
        """What it keeps before the first token: nothing, of its shape."""
        return {name: _nothing(self.inputs[name]) for name in self.kept}


class Steps:
    """One text. `later` is the graph for all tokens after the prompt, where exporters wrote two."""

    def __init__(self, first: Graph, later: Graph | None = None) -> None:
        self._first = first
        self._later = first if later is None else later
        self._said: list[int] = []
        self._kept: dict[str, Any] = {}

    def read(self, ids: Sequence[int]) -> Any:
        """The logits after these tokens, F64 of the vocabulary's length."""
        before = len(self._said)
        self._said += ids
        if not self._later.kept:
            return self._run(self._first, self._said, 0)
        return self._run(self._later if self._kept else self._first, list(ids), before)

    def _run(self, graph: Graph, ids: Sequence[int], before: int) -> Any:
        import numpy
        from onnxruntime import OrtValue

        number = before + len(ids)
        given = {
            "input_ids": numpy.array([ids], dtype="int64"),
            "attention_mask": numpy.ones((1, number), dtype="int64"),
            "position_ids": numpy.arange(before, number, dtype="int64")[None],
            "use_cache_branch": numpy.array([before > 0]),
            "num_logits_to_keep": numpy.array(1, dtype="int64"),
        }
        fed = {name: OrtValue.ortvalue_from_numpy(value) for name, value in given.items() if name in graph.inputs}
        fed |= {name: self._kept[name] for name in graph.kept} if before else graph.empty()
        wanted = graph.gives if self._later.kept else []
        logits, *presents = graph.session.run_with_ort_values(["logits", *wanted], fed)
        told = dict(zip(wanted, presents, strict=True))
        self._kept = {name: told[present] for name, present in self._later.kept.items()}
        return logits.numpy()[0, -1].astype("float64")


def _present(name: str, outputs: set[str]) -> str | None:
    """The output that is this input's next value."""
    if "past" not in name:
        return None
    return next((one for old in ("past_key_values", "past") if (one := name.replace(old, "present")) in outputs), None)


def _nothing(told: Any) -> Any:
    """Of one text; dimensions that are free are 0."""
    import numpy
    from onnxruntime import OrtValue

    shape = [1, *(size if isinstance(size, int) else 0 for size in told.shape[1:])]
    if told.type not in _TYPES or shape.count(0) != 1:
        raise Failed(Fault(kind="unsupported", detail=f"its graph wants {told.name} {told.type} {told.shape}"))
    return OrtValue.ortvalue_from_numpy(numpy.zeros(shape, _TYPES[told.type]))
