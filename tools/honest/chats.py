"""Long honest chat templates, wherever a model keeps one: in a file, in tokenizer_config.json, in a GGUF."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tools.honest import Honest

TEMPLATES = {
    path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / "templates").glob("*.jinja"))
}
_TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is the weather in Paris?"},
    {"role": "assistant", "content": "<think>a look</think>It rains."},
    {"role": "user", "content": "And now?"},
]
_TOOL = {
    "type": "function",
    "function": {
        "name": "weather", "description": "The weather of a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string", "description": "its name"}}, "required": ["town"]},
    },
}  # fmt: skip


def rendered(template: str) -> str:
    """The talk, with and without a tool, by the code that transformers renders templates with."""
    from transformers.utils.chat_template_utils import render_jinja_template

    values = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
    plain, _ = render_jinja_template([_TALK], chat_template=template, **values)
    with_tools, _ = render_jinja_template([_TALK], tools=[_TOOL], chat_template=template, **values)
    assert "And now?" in plain[0] and "And now?" in with_tools[0]
    return str(plain[0])


def _file(folder: Path, *, name: str) -> Path:
    inside = folder / name
    inside.mkdir()
    (inside / "chat_template.jinja").write_text(TEMPLATES[name], "utf-8")
    return inside


def _tokenizer(folder: Path, *, template: str | dict[str, str], old: bool) -> Path:
    from tools.honest.folders import tokenizer

    tokenizer(template).save_pretrained(folder / "tokenizer", save_jinja_files=not old)
    return folder / "tokenizer"


def _read_tokenizer(folder: Path) -> object:
    import transformers

    made = transformers.AutoTokenizer.from_pretrained(folder)
    chosen = "default" if isinstance(made.chat_template, dict) else None
    return made.apply_chat_template(_TALK, tokenize=False, chat_template=chosen)


def _gguf(folder: Path, *, name: str) -> Path:
    import gguf

    writer = gguf.GGUFWriter(folder / f"{name}.gguf", "llama")
    writer.add_chat_template(TEMPLATES[name])
    writer.add_chat_template(
        [{"name": "tool_use", "template": TEMPLATES["small"]}, {"name": "default", "template": TEMPLATES[name]}]
    )
    writer.add_tensor("output_norm.weight", np.ones(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / f"{name}.gguf"


def _cases(name: str) -> tuple[Honest, ...]:
    def read(path: Path) -> object:
        return rendered(TEMPLATES[name])

    places: dict[str, Callable[[Path], Path]] = {
        "file": functools.partial(_file, name=name),
        "gguf": functools.partial(_gguf, name=name),
    }
    return (
        *(Honest(f"{name} in {place}", write, read if place == "file" else None) for place, write in places.items()),
        Honest(
            f"{name} in tokenizer", functools.partial(_tokenizer, template=TEMPLATES[name], old=True), _read_tokenizer
        ),
    )


_NAMED = {"default": TEMPLATES["thinking"], "tool_use": TEMPLATES["llama_tools"], "rag": TEMPLATES["retrieval"]}

CASES: tuple[Honest, ...] = (
    *(case for name in TEMPLATES for case in _cases(name)),
    Honest("named templates", functools.partial(_tokenizer, template=_NAMED, old=False), _read_tokenizer),
    Honest(
        "named templates in the configuration",
        functools.partial(_tokenizer, template=_NAMED, old=True),
        _read_tokenizer,
    ),
)
