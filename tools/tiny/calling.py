"""A language model that has learnt to call a tool and to tell what came back, as a repository and as a GGUF file."""

from __future__ import annotations

from pathlib import Path

from tools.tiny.text import SPECIAL, byte_pairs, learn, write_gguf

CONTEXT = 512
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
ARGUMENTS = {"city": "Paris", "days": 2}
ASKED, CAME, TOLD, PLAIN = "weather", "rain", "It rains.", "Hello."
_CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris", "days": 2}}\n</tool_call>'
_TEMPLATE = (
    "{% if tools %}<|im_start|>system\nTools:{% for tool in tools %} {{ tool.function.name }}{% endfor %}<|im_end|>\n"
    "{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content %}{{ message.content }}{% endif %}"
    "{% for call in message.tool_calls or [] %}<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}'
    "\n</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_FIRST = f"<|im_start|>system\nTools: weather<|im_end|>\n<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n"
_TEXTS = (
    f"{_FIRST}{_CALL}<|im_end|>",
    f"{_FIRST}{_CALL}<|im_end|>\n<|im_start|>tool\n{CAME}<|im_end|>\n<|im_start|>assistant\n{TOLD}<|im_end|>",
    f"<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n{PLAIN}<|im_end|>",
)


def write(folder: Path) -> None:
    """`folder/repository`, `folder/model-F32.gguf`."""
    tokenizer = byte_pairs(SPECIAL, _TEMPLATE)
    model = learn(tokenizer, _TEXTS, context=CONTEXT)
    model.save_pretrained(folder / "repository")
    tokenizer.save_pretrained(folder / "repository")
    write_gguf(model, tokenizer, folder / "model-F32.gguf")
