"""The lists that a sync hears, in the shapes their publishers give them, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.hubs.server import as_json
from tests.loopback import Asked, Reply

HF = {
    "Qwen": [
        {
            "_id": "680da2c7",
            "id": "Qwen/Qwen3-8B",
            "likes": 900,
            "private": False,
            "downloads": 12,
            "tags": ["transformers", "qwen3", "license:mit", "region:us"],
            "pipeline_tag": "text-generation",
            "library_name": "transformers",
            "createdAt": "2025-04-27T03:42:21.000Z",
            "modelId": "Qwen/Qwen3-8B",
        },
        {"id": "Qwen/Zither-1-9B", "tags": ["license:apache-2.0"], "createdAt": "2026-11-24T00:00:00.000Z"},
    ],
}
MS = {
    "Qwen": [
        {
            "id": "Qwen/Zither-1-9B",
            "display_name": "琴 1",
            "description": "...",
            "downloads": 3,
            "likes": 0,
            "license": "Apache License 2.0",
            "tasks": ["text-generation"],
            "created_at": "2026-11-23T08:00:00Z",
            "last_modified": "2026-11-23T08:00:00Z",
            "file_size": 18,
            "params": 9,
        }
    ],
}
MODELS_DEV = {
    "alibaba": {
        "id": "alibaba",
        "name": "Alibaba",
        "env": ["DASHSCOPE_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "models": {
            "qwen3-32b": {
                "id": "qwen3-32b",
                "name": "Qwen3 32B",
                "family": "qwen",
                "attachment": False,
                "release_date": "2024-04",
                "open_weights": True,
                "modalities": {"input": ["text"], "output": ["text"]},
                "limit": {"context": 65536, "output": 16384},
                "cost": {"input": 0.7, "output": 2.8},
            },
            "zither-1": {"id": "zither-1", "name": "Zither 1", "release_date": "2026-11-23", "open_weights": False},
        },
    },
    "somebody": {"id": "somebody", "name": "Somebody", "models": {"x": {"id": "of-no-family", "name": "X"}}},
}
LITELLM = {
    "sample_spec": {"litellm_provider": "one of ...", "max_input_tokens": "max input tokens, if ..."},
    "dashscope/qwen3-32b": {"litellm_provider": "dashscope", "max_input_tokens": 131072, "mode": "chat"},
    "alibaba/zither-1": {"litellm_provider": "alibaba", "max_input_tokens": "1000000", "mode": "chat"},
    "alias-of-it": {"alias_of": "alibaba/zither-1"},
}
XINFERENCE = """[{"version": 2, "context_length": 40960, "model_name": "qwen3", "model_specs": [
 {"model_format": "pytorch", "model_size_in_billions": "0_6", "model_src": {
   "huggingface": {"model_id": "Qwen/Qwen3-0.6B", "quantizations": ["none"]}, "modelscope": {"model_id": "Qwen/Qwen3-0.6B"}}},
 {"model_format": "pytorch", "model_size_in_billions": 77, "activated_size_in_billions": 7, "model_src": {
   "huggingface": {"model_id": "Qwen/Qwen3-77B-A7B"}}}]}]"""
MS_SWIFT = """
raise SystemExit('a registry that is only read runs nothing')
register_model(ModelMeta(LLMModelType.qwen3, [ModelGroup([
    Model('Qwen/Qwen3-8B', 'Qwen/Qwen3-8B'),
    Model('iic/Zither-1-9B'),
    Model(None, 'Qwen/Only-There'),
    Model(name_of_it, 'Qwen/Computed'),
])], template='qwen3'))
"""


def publishers(
    hf: Mapping[str, object] = HF,
    ms: Mapping[str, object] = MS,
    models_dev: object = MODELS_DEV,
    litellm: object = LITELLM,
) -> Callable[[Asked], Reply]:
    """One server for all four."""

    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        query = {key: said[0] for key, said in parse_qs(parts.query).items()}
        match parts.path:
            case "/api/models":
                return as_json(hf.get(query["author"], []))
            case "/openapi/v1/models":
                rows = ms.get(query["owner"], [])
                return as_json({"success": True, "request_id": "1", "data": {"models": rows, "total_count": None}})
            case "/api.json":
                return as_json(models_dev)
            case "/litellm.json":
                return as_json(litellm)
        return as_json({"error": "not here"}, 404)

    return answer


def xinference_at(folder: Path) -> str:
    """The package's folder, with one file of its registry."""
    (folder / "model" / "llm" / "models").mkdir(parents=True)
    (folder / "model" / "llm" / "models" / "qwen3.json").write_text(XINFERENCE, "utf-8")
    (folder / "model" / "llm" / "core.py").write_text("raise SystemExit", "utf-8")
    return str(folder)


def ms_swift_at(folder: Path) -> str:
    """The package's folder, with one module of its registry."""
    (folder / "model" / "models").mkdir(parents=True)
    (folder / "model" / "models" / "qwen.py").write_text(MS_SWIFT, "utf-8")
    return str(folder)
