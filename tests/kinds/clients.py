"""A stock client's call for each kind of work: a job in its words, and what came in ours."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anthropic
import cohere
import httpx
import langchain_openai
import ollama
import openai

from tests.kinds.outcomes import Outcome, of_labels
from weigh.core.work import (
    Chat,
    Classify,
    Complete,
    Compute,
    Depth,
    Detect,
    Embed,
    MakeImage,
    MakeSound,
    MakeVideo,
    Message,
    Rerank,
    Speak,
    Transcribe,
)
from weigh.engines.arrays import numbers

PATIENCE = 300.0
_TYPES = {"float32": "FP32", "float64": "FP64", "int64": "INT64"}


@contextmanager
def openai_at(address: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own."""
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=PATIENCE) as client:
        yield client


@contextmanager
def ollama_at(address: str) -> Iterator[ollama.Client]:
    """Ollama's own."""
    client = ollama.Client(address, timeout=PATIENCE)
    yield client
    client.close()


def post(address: str, path: str, body: dict[str, Any]) -> httpx.Response:
    """Plain HTTP, where no client has a call."""
    answer = httpx.post(f"{address}{path}", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer


def url_of(data: bytes, mime: str = "image/png") -> str:
    """A file within the request."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def openai_messages(job: Chat) -> list[Any]:
    """Pictures as data URLs."""
    return [
        {
            "role": message.role,
            "content": [
                {"type": "image_url", "image_url": {"url": url_of(piece.image)}}
                if piece.image is not None
                else {"type": "text", "text": piece.text}
                for piece in message.pieces
            ],
        }
        for message in job.messages
    ]


def _openai_chat(address: str, model: str, job: Chat) -> Outcome:
    """Whole, and streamed to the same."""
    asked: dict[str, Any] = {"model": model, "messages": openai_messages(job), **_sampled(job)}
    with openai_at(address) as client:
        whole = client.chat.completions.create(**asked).choices[0].message.content
        parts = list(client.chat.completions.create(**asked, stream=True))
    assert "".join(part.choices[0].delta.content or "" for part in parts if part.choices) == whole
    return whole


def _openai_complete(address: str, model: str, job: Complete) -> Outcome:
    asked: dict[str, Any] = {"model": model, "prompt": job.prompt, **_sampled(job)}
    with openai_at(address) as client:
        whole = client.completions.create(**asked).choices[0].text
        parts = list(client.completions.create(**asked, stream=True))
    assert "".join(part.choices[0].text for part in parts if part.choices) == whole
    return whole


def _sampled(job: Chat | Complete) -> dict[str, Any]:
    return {"max_tokens": job.sampling.max_tokens, "temperature": job.sampling.temperature}


def _anthropic(address: str, model: str, job: Chat) -> Outcome:
    asked: dict[str, Any] = {
        "model": model,
        "messages": [_turn(one) for one in job.messages],
        "max_tokens": job.sampling.max_tokens,
        "extra_body": {"temperature": job.sampling.temperature},
    }
    with anthropic.Anthropic(base_url=address, api_key="none", max_retries=0, timeout=PATIENCE) as client:
        whole = "".join(block.text for block in client.messages.create(**asked).content)
        with client.messages.stream(**asked) as stream:
            assert "".join(stream.text_stream) == whole
    return whole


def _turn(message: Message) -> dict[str, Any]:
    content = [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": base64.b64encode(piece.image).decode(),
            },
        }
        if piece.image is not None
        else {"type": "text", "text": piece.text}
        for piece in message.pieces
    ]
    return {"role": message.role, "content": content}


def _ollama_chat(address: str, model: str, job: Chat) -> Outcome:
    turns = [{"role": one.role, "content": "".join(piece.text or "" for piece in one.pieces)} for one in job.messages]
    with ollama_at(address) as client:
        whole = client.chat(model, turns, options=_options(job)).message.content
        parts = client.chat(model, turns, options=_options(job), stream=True)
        assert "".join(part.message.content or "" for part in parts) == whole
    return whole


def _ollama_generate(address: str, model: str, job: Complete) -> Outcome:
    with ollama_at(address) as client:
        whole = client.generate(model, job.prompt, raw=True, options=_options(job)).response
        parts = client.generate(model, job.prompt, raw=True, options=_options(job), stream=True)
        assert "".join(part.response for part in parts) == whole
    return whole


def _options(job: Chat | Complete) -> dict[str, Any]:
    return {"num_predict": job.sampling.max_tokens, "temperature": job.sampling.temperature}


def texts_of(job: Embed) -> list[str]:
    """What is embedded."""
    return [piece.text or "" for piece in job.pieces]


def _openai_embed(address: str, model: str, job: Embed) -> Outcome:
    with openai_at(address) as client:
        return [row.embedding for row in client.embeddings.create(model=model, input=texts_of(job)).data]


def _ollama_embed(address: str, model: str, job: Embed) -> Outcome:
    with ollama_at(address) as client:
        return [list(row) for row in client.embed(model, texts_of(job)).embeddings]


def _langchain_embed(address: str, model: str, job: Embed) -> Outcome:
    """It would cut texts up with OpenAI's tokenizer, which is not this model's."""
    client = langchain_openai.OpenAIEmbeddings(
        base_url=f"{address}/v1", api_key="none", model=model, check_embedding_ctx_length=False, max_retries=0
    )
    return client.embed_documents(texts_of(job))


def _cohere(address: str, model: str, job: Rerank) -> Outcome:
    with cohere.ClientV2(api_key="none", base_url=address, timeout=PATIENCE) as client:
        results = client.rerank(model=model, query=job.query, documents=list(job.documents)).results
    scores = [one.relevance_score for one in results]
    assert scores == sorted(scores, reverse=True)
    return [one.relevance_score for one in sorted(results, key=lambda one: one.index)]


def _classify(address: str, model: str, job: Classify) -> Outcome:
    piece = {
        "image": url_of(job.piece.image) if job.piece.image is not None else None,
        "audio": url_of(job.piece.audio, "audio/wav") if job.piece.audio is not None else None,
    }
    given = {key: value for key, value in piece.items() if value is not None}
    return of_labels(post(address, "/v1/classify", {"model": model, "labels": job.labels, **given}).json()["labels"])


def _detect(address: str, model: str, job: Detect) -> Outcome:
    body = {"model": model, "image": url_of(job.image), "threshold": job.threshold}
    return of_labels(post(address, "/v1/detect", body).json()["labels"])


def _depth(address: str, model: str, job: Depth) -> Outcome:
    return post(address, "/v1/depth", {"model": model, "image": url_of(job.image)}).content


def _transcribe(address: str, model: str, job: Transcribe) -> Outcome:
    with openai_at(address) as client:
        told = client.audio.transcriptions.create(
            model=model, file=("tone.wav", job.audio), language=job.language or "en", response_format="verbose_json"
        )
    return [[one.text, one.start, one.end] for one in told.segments or ()]


def _speak(address: str, model: str, job: Speak) -> Outcome:
    with openai_at(address) as client:
        spoken = client.audio.speech.create(
            model=model, voice="default", input=job.text, response_format="wav", extra_body={"seed": job.seed}
        )
        return spoken.content


def _sound(address: str, model: str, job: MakeSound) -> Outcome:
    body = {"prompt": job.prompt, "seconds": job.seconds, "steps": job.steps, "seed": job.seed}
    return post(address, "/v1/audio/generations", {"model": model, **body}).content


def _draw(address: str, model: str, job: MakeImage) -> Outcome:
    with openai_at(address) as client:
        answer = client.images.generate(
            model=model,
            prompt=job.prompt,
            size=f"{job.width}x{job.height}",  # type: ignore[arg-type]
            extra_body={"steps": job.steps, "seed": job.seed},
        )
    return base64.b64decode((answer.data or [])[0].b64_json or "")


def _edit(address: str, model: str, job: MakeImage) -> Outcome:
    with openai_at(address) as client:
        answer = client.images.edit(
            model=model,
            prompt=job.prompt,
            image=io.BytesIO(job.image or b""),
            mask=io.BytesIO(job.mask or b""),
            size=f"{job.width}x{job.height}",  # type: ignore[arg-type]
            extra_body={"steps": job.steps, "seed": job.seed, "strength": job.strength},
        )
    return base64.b64decode((answer.data or [])[0].b64_json or "")


def _film(address: str, model: str, job: MakeVideo) -> Outcome:
    more = {"steps": job.steps, "frames": job.frames, "fps": job.fps, "seed": job.seed}
    with openai_at(address) as client:
        size: Any = f"{job.width}x{job.height}"
        video = client.videos.create(model=model, prompt=job.prompt, size=size, extra_body=more)
        done = client.videos.poll(video.id, poll_interval_ms=200)
        assert done.status == "completed", done.error
        return client.videos.download_content(video.id).read()


def _compute(address: str, model: str, job: Compute) -> Outcome:
    inputs = [
        {"name": one.name, "shape": one.shape, "datatype": _TYPES[one.dtype], "data": numbers(one).flatten().tolist()}
        for one in job.arrays
    ]
    outputs = post(address, f"/v2/models/{model}/infer", {"inputs": inputs}).json()["outputs"]
    return {one["name"]: shaped(one["data"], one["shape"]) for one in outputs}


def shaped(flat: list[Any], shape: list[int]) -> Any:
    """Rows within rows, as the protocol's flat list means them."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0] if shape[0] else 0
    return [shaped(flat[at * step : (at + 1) * step], shape[1:]) for at in range(shape[0])]


CLIENTS: Mapping[str, Callable[[str, str, Any], Outcome]] = {
    "anthropic:messages": _anthropic,
    "cohere:rerank": _cohere,
    "http:/v1/audio/generations": _sound,
    "http:/v1/classify": _classify,
    "http:/v1/depth": _depth,
    "http:/v1/detect": _detect,
    "http:/v2/models/{name}/infer": _compute,
    "langchain:OpenAIEmbeddings": _langchain_embed,
    "ollama:chat": _ollama_chat,
    "ollama:embed": _ollama_embed,
    "ollama:generate": _ollama_generate,
    "openai:audio.speech": _speak,
    "openai:audio.transcriptions": _transcribe,
    "openai:chat.completions": _openai_chat,
    "openai:completions": _openai_complete,
    "openai:embeddings": _openai_embed,
    "openai:images.edit": _edit,
    "openai:images.generate": _draw,
    "openai:videos": _film,
}
