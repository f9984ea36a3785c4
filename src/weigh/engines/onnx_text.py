"""Texts by an ONNX repository: vectors, ranks and classes."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from typing import Any

from weigh.core.engine import Failed, Launch, Loaded, Ready
from weigh.core.work import (
    Classify,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    Labels,
    Rerank,
    Scores,
    Usage,
    Vectors,
    Work,
    work_of,
)
from weigh.engines.pooled import pooled
from weigh.engines.repository import labels_of, longest_of, table, tokenizer_of

BATCH = 32
_MODULES = ("Transformer", "Pooling", "Normalize")  # those of sentence-transformers that are done here


def opened(session: Any, launch: Launch) -> Loaded:
    """For the first of its works. Raises Failed where its graph is not the whole of it."""
    if launch.works[0] == "embed":
        _whole(launch.path)
    config = table(launch.path, "config.json")
    longest = longest_of(launch.path)
    network = Network(
        session,
        tokenizer_of(launch.path, longest),
        tells_apart=_tells_apart(launch.path),
        padding=config.get("pad_token_id") or 0,
    )
    return Reader(network, launch, longest)


def _whole(path: str) -> None:
    kinds = [str(one.get("type", "")).rpartition(".")[2] for one in table(path, "modules.json").get("all", ())]
    if more := [kind for kind in kinds if kind not in _MODULES]:
        detail = f"after its graph comes {', '.join(more)}, which onnxruntime does not do: use --work compute"
        raise Failed(Fault(kind="unsupported", detail=detail))


def _tells_apart(path: str) -> bool:
    """Whether its tokenizer says which of two texts a token is of: as it is told, or as its class does."""
    says = table(path, "tokenizer_config.json")
    names = says.get("model_input_names")
    if isinstance(names, list):
        return "token_type_ids" in names
    return says.get("tokenizer_class") not in ("PreTrainedTokenizerFast", "TokenizersBackend")


class Network:
    """Texts, or pairs of them, through the graph, in batches."""

    def __init__(self, session: Any, tokenizer: Any, *, tells_apart: bool, padding: int) -> None:
        self._tells_apart = tells_apart
        self._padding = padding
        self._session = session
        self._tokenizer = tokenizer
        self._inputs = {one.name for one in session.get_inputs()}
        self._outputs = [one.name for one in session.get_outputs()]
        self.tokens = 0

    def run(self, texts: Sequence[Any]) -> list[tuple[dict[str, Any], Any]]:
        """Outputs of each batch, and which of its tokens count."""
        return [self._batch(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]

    def _batch(self, texts: Sequence[Any]) -> tuple[dict[str, Any], Any]:
        import numpy

        read = self._tokenizer.encode_batch(list(texts))
        longest = max(len(one.ids) for one in read)
        given = {
            "input_ids": [one.ids + [self._padding] * (longest - len(one.ids)) for one in read],
            "attention_mask": [[1] * len(one.ids) + [0] * (longest - len(one.ids)) for one in read],
            "token_type_ids": [self._types(one) + [0] * (longest - len(one.ids)) for one in read],
        }
        self.tokens = sum(len(one.ids) for one in read)
        fed = {name: numpy.array(value, dtype="int64") for name, value in given.items()}
        made = self._session.run(None, {name: value for name, value in fed.items() if name in self._inputs})
        return dict(zip(self._outputs, made, strict=True)), fed["attention_mask"]

    def _types(self, read: Any) -> list[int]:
        return list(read.type_ids) if self._tells_apart else [0] * len(read.ids)


class Reader:
    """One job at a time."""

    def __init__(self, network: Network, launch: Launch, longest: int) -> None:
        self._network = network
        self._path = launch.path
        self._config = table(launch.path, "config.json")
        works: tuple[Work, ...] = launch.works[:1]
        self.ready = Ready(works=works, parallel=1, context_length=longest)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """All at once."""
        if work_of(job) not in self.ready.works:
            yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")
            return
        match job:
            case Embed():
                yield self._embedded(job)
            case Rerank():
                yield Scores(scores=self._ranked(job))
            case Classify():
                yield Labels(labels=labels_of(self._config, self._logits([_text(job.piece.text)])[0], job.top))
        yield Done(usage=Usage(prompt_tokens=self._network.tokens))

    def _embedded(self, job: Embed) -> Event:
        import numpy

        prompts = table(self._path, "config_sentence_transformers.json").get("prompts") or {}
        prompt = prompts.get(job.purpose or "") or ""
        if prompt and table(self._path, "1_Pooling/config.json").get("include_prompt") is False:
            raise Failed(Fault(kind="unsupported", detail="it leaves its prompt out of the vector: use --work compute"))
        texts = [prompt + _text(piece.text) for piece in job.pieces]
        rows = numpy.concatenate([self._pooled(made, mask) for made, mask in self._network.run(texts)])
        if job.dimensions is not None:
            rows = rows[:, : job.dimensions]
        if job.dimensions is not None or self._is_normal():
            rows = rows / (rows**2).sum(axis=1, keepdims=True).clip(1e-24) ** 0.5
        return Vectors(dimensions=int(rows.shape[1]), data=rows.astype("<f4").tobytes())

    def _is_normal(self) -> bool:
        """As modules.json says; of unit length where nothing does."""
        modules = table(self._path, "modules.json").get("all")
        return not modules or any(str(one.get("type", "")).endswith("Normalize") for one in modules)

    def _pooled(self, made: dict[str, Any], mask: Any) -> Any:
        whole = made.get("sentence_embedding")
        if whole is not None:
            return whole
        states = next((one for one in made.values() if one.ndim == 3), None)
        if states is None:
            raise Failed(Fault(kind="unsupported", detail="it gives no state for each token: use --work compute"))
        return pooled(states, mask, table(self._path, "1_Pooling/config.json"))

    def _ranked(self, job: Rerank) -> tuple[float, ...]:
        """As the library that trains them tells it: from 0 to 1, unless the repository says that logits are meant."""
        import numpy

        logits = self._logits([(job.query, document) for document in job.documents])
        if logits.shape[1] != 1:
            detail = f"it gives {logits.shape[1]} scores a document: it classifies, and does not rank"
            raise Failed(Fault(kind="unsupported", detail=detail))
        scores = logits[:, 0] if _ends_in_logits(self._path, self._config) else 1 / (1 + numpy.exp(-logits[:, 0]))
        return tuple(float(score) for score in scores)

    def _logits(self, texts: Sequence[Any]) -> Any:
        import numpy

        return numpy.concatenate([made["logits"] for made, _ in self._network.run(texts)])


def _ends_in_logits(path: str, config: dict[str, Any]) -> bool:
    """Raises Failed for a last step of another kind."""
    told = table(path, "config_sentence_transformers.json").get("activation_fn")
    told = told or (config.get("sentence_transformers") or {}).get("activation_fn")
    told = told or config.get("sbert_ce_default_activation_function") or "Sigmoid"
    last = str(told).rpartition(".")[2]
    if last not in ("Identity", "Sigmoid"):
        raise Failed(Fault(kind="unsupported", detail=f"its scores go through {last}: use --work compute"))
    return last == "Identity"


def _text(text: str | None) -> str:
    if text is None:
        raise Failed(Fault(kind="bad_input", detail="it reads texts alone"))
    return text
