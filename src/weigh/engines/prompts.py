"""Requests as the text that a model was trained to read."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from weigh.core.engine import Failed
from weigh.core.work import Chat, Fault, Message, Tool

# Tokens to fill in the middle: of Qwen and CodeGemma, StarCoder and Code Llama, DeepSeek.
_MIDDLES = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
)


def templated(job: Chat, template: str | None, signs: dict[str, str]) -> str:
    """A chat by the model's own template, up to where its answer begins; `signs` are its bos_token and the like.

    Raises Failed where there is no template, or where it will not have the chat.
    """
    if template is None:
        raise Failed(Fault(kind="bad_input", detail="it has no chat template: complete a prompt instead"))
    from weigh.engines.rendering import rendered

    options = {} if job.thinking is None else {"enable_thinking": job.thinking}
    turns = [turn_of(message) for message in job.messages]
    try:
        return rendered(
            template, {"messages": turns, "tools": tools_of(job), "add_generation_prompt": True, **signs, **options}
        )
    except Exception as error:  # a template raises whatever it likes
        raise Failed(Fault(kind="bad_input", detail=f"its chat template: {error}")) from error


def between(before: str, after: str, known: Container[str]) -> str:
    """Fill in the middle, by the tokens that the tokenizer has for it. Raises Failed where it has none."""
    for prefix, suffix, middle in _MIDDLES:
        if prefix in known and suffix in known and middle in known:
            return f"{prefix}{before}{suffix}{after}{middle}"
    raise Failed(Fault(kind="unsupported", detail="its tokenizer has no tokens to fill in the middle"))


def turn_of(message: Message) -> dict[str, Any]:
    """As chat templates take it; its pieces must be text."""
    if any(piece.text is None for piece in message.pieces):
        raise Failed(Fault(kind="unsupported", detail="a text model takes no pictures and no sounds"))
    turn: dict[str, Any] = {"role": message.role, "content": "".join(piece.text or "" for piece in message.pieces)}
    if message.tool_calls:
        turn["tool_calls"] = [
            {"type": "function", "function": {"name": call.name, "arguments": json.loads(call.arguments or "{}")}}
            for call in message.tool_calls
        ]
    if message.name is not None:
        turn["name"] = message.name
    return turn


def tools_of(job: Chat) -> list[dict[str, Any]] | None:
    """As chat templates take them."""
    return [_tool(tool) for tool in job.tools] or None


def _tool(tool: Tool) -> dict[str, Any]:
    parameters = json.loads(tool.parameters) if tool.parameters else {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description or "", "parameters": parameters}
    return {"type": "function", "function": function}
