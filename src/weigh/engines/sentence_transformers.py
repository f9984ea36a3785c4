"""Vectors and ranks by sentence-transformers: pooling and prompts as each model brings them."""

from __future__ import annotations

import io
import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Candidate, Engine, Failed, Launch, Ready
from weigh.core.work import Done, Embed, Event, Fault, Job, Piece, Rerank, Scores, Usage, Vectors, Work, work_of

_WORKS: tuple[Work, ...] = ("embed", "rerank")


def load(launch: Launch) -> Ranker:
    """In the child."""
    import sentence_transformers
    import torch

    if launch.threads:
        torch.set_num_threads(launch.threads)
    options = {
        "device": launch.device or ("cuda" if torch.cuda.is_available() else "cpu"),
        "trust_remote_code": bool(launch.trust_remote_code),
        "local_files_only": True,
        "model_kwargs": {} if launch.allow_pickle else {"use_safetensors": True},
    }
    kind = (
        sentence_transformers.CrossEncoder if launch.works[0] == "rerank" else sentence_transformers.SentenceTransformer
    )
    return Ranker(kind(launch.path, **options), launch)


class Ranker:
    """One job at a time; a job's texts go in batches."""

    def __init__(self, model: Any, launch: Launch) -> None:
        self._model = model
        longest = getattr(model, "max_seq_length", None) or getattr(model, "max_length", None)
        self.ready = Ready(works=launch.works[:1], parallel=1, context_length=longest)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """All vectors or scores at once."""
        match job:
            case Embed() if self.ready.works == ("embed",):
                yield from self._embed(job)
            case Rerank() if self.ready.works == ("rerank",):
                yield from self._rank(job)
            case _:
                yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")

    def _embed(self, job: Embed) -> Generator[Event, None, None]:
        prompts = getattr(self._model, "prompts", None) or {}
        self._check_length([[piece.text] for piece in job.pieces if piece.text is not None])
        named = job.purpose if job.purpose is not None and prompts.get(job.purpose) else None
        vectors = self._model.encode(
            [_content(piece) for piece in job.pieces],
            prompt_name=named,
            truncate_dim=job.dimensions,
            convert_to_numpy=True,
            show_progress_bar=False,
        ).astype("<f4")
        if job.dimensions is not None:
            vectors /= (vectors**2).sum(axis=1, keepdims=True) ** 0.5  # of unit length again
        yield Vectors(dimensions=int(vectors.shape[1]), data=vectors.tobytes())
        yield Done(usage=Usage(prompt_tokens=self._tokens([piece.text or "" for piece in job.pieces])))

    def _rank(self, job: Rerank) -> Generator[Event, None, None]:
        pairs = [(job.query, document) for document in job.documents]
        self._check_length([list(pair) for pair in pairs])
        scores = self._model.predict(pairs, convert_to_numpy=True, show_progress_bar=False)
        if scores.ndim != 1:
            detail = f"it gives {scores.shape[1]} scores a document: it classifies, and does not rank"
            raise Failed(Fault(kind="unsupported", detail=detail))
        yield Scores(scores=tuple(float(score) for score in scores))
        yield Done(usage=Usage(prompt_tokens=self._tokens([job.query, *job.documents])))

    def _check_length(self, rows: list[list[str]]) -> None:
        """The library would cut what is too long, and say nothing. Raises Failed."""
        most = self.ready.context_length
        if most is None or not rows:
            return
        columns = [list(column) for column in zip(*rows, strict=True)]
        read = self._model.tokenizer(*columns, add_special_tokens=True, truncation=False, verbose=False)
        longest = max(map(len, read["input_ids"]))
        if longest > most:
            raise Failed(Fault(kind="context_overflow", detail=f"{longest} tokens for a context of {most}"))

    def _tokens(self, texts: list[str]) -> int:
        read = self._model.tokenizer(texts, add_special_tokens=True)
        return sum(len(ids) for ids in read["input_ids"])


def _content(piece: Piece) -> Any:
    """A text, or a picture for the models that embed both."""
    if piece.image is not None:
        from PIL import Image

        return Image.open(io.BytesIO(piece.image)).convert("RGB")
    if piece.text is None:
        raise Failed(Fault(kind="unsupported", detail="it embeds texts and pictures alone"))
    return piece.text


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "huggingface":
        return ()
    first = candidate.works[:1]
    return first if first and first[0] in _WORKS else ()


ENGINE = Engine(
    name="sentence-transformers",
    extra="torch",
    needs=("sentence_transformers",),
    reach="child",
    module="weigh.engines.sentence_transformers",
    works=_works,
)
