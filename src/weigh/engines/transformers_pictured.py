"""Chats about pictures by transformers; the answer comes as that of any text model."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Failed, Launch
from weigh.core.work import Chat, Event, Fault, Job, Message
from weigh.engines.media import picture_of
from weigh.engines.prompts import tools_of, turn_of
from weigh.engines.transformers_text import Text, opened, options_of


def load(launch: Launch) -> Pictured:
    """In the child. Raises Failed."""
    import transformers

    processor = _processor(launch)
    model = opened(launch, transformers.AutoModelForImageTextToText)
    return Pictured(processor, Text(processor.tokenizer, model, launch))


def takes(launch: Launch) -> bool:
    """Whether the library has the class among those that read pictures and write text."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return launch.architecture in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.values()


class Pictured:
    """One job at a time."""

    def __init__(self, processor: Any, text: Text) -> None:
        self._processor = processor
        self._template = getattr(processor, "chat_template", None) or processor.tokenizer.chat_template
        self._text = text
        self.ready = text.ready

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """As Text; pictures may stand anywhere in a chat."""
        if not isinstance(job, Chat):
            yield from self._text.run(job, cancelled)
            return
        prompt = self._prompt(job)
        yield from self._text.answer(prompt, job.sampling, cancelled, schema=job.schema, tools=bool(job.tools))

    def _prompt(self, job: Chat) -> Any:
        if self._template is None:
            return self._captioned(job)
        turns = [self._turn(message) for message in job.messages]
        text = self._templated(turns, job)
        pictures = [one["image"] for turn in turns for one in turn["content"] if one["type"] == "image"]
        begins = self._processor.tokenizer.bos_token
        try:
            return self._processor(
                images=pictures or None,
                text=[text],
                return_tensors="pt",
                add_special_tokens=not (begins and text.startswith(begins)),
            )
        except ValueError as error:  # pictures and the places for them do not agree
            raise Failed(Fault(kind="bad_input", detail=str(error))) from error

    def _templated(self, turns: list[dict[str, Any]], job: Chat) -> str:
        options = {} if job.thinking is None else {"enable_thinking": job.thinking}
        try:
            text: str = self._processor.tokenizer.apply_chat_template(
                turns,
                chat_template=self._template,
                tools=tools_of(job),
                add_generation_prompt=True,
                tokenize=False,
                **options,
            )
        except Exception as error:  # a template raises whatever it likes
            raise Failed(Fault(kind="bad_input", detail=f"its chat template: {error}")) from error
        return text

    def _captioned(self, job: Chat) -> Any:
        """What never learnt to chat takes the last turn alone: a picture, and the beginning of what is said of it."""
        last = _content(job.messages[-1])
        pictures = [one["image"] for one in last if one["type"] == "image"]
        text = "".join(one["text"] for one in last if one["type"] == "text")
        if not pictures:
            raise Failed(Fault(kind="bad_input", detail="give it a picture: it has no chat template"))
        return self._processor(images=pictures, text=text, return_tensors="pt")

    def _turn(self, message: Message) -> dict[str, Any]:
        words = tuple(piece for piece in message.pieces if piece.text is not None)
        plain = Message(role=message.role, pieces=words, tool_calls=message.tool_calls, name=message.name)
        return {**turn_of(plain), "content": _content(message)}


def _content(message: Message) -> list[dict[str, Any]]:
    """Piece by piece. Raises Failed for a sound."""
    if any(piece.audio is not None for piece in message.pieces):
        raise Failed(Fault(kind="unsupported", detail="it takes texts and pictures alone"))
    return [
        {"type": "image", "image": picture_of(piece.image)}
        if piece.image is not None
        else {"type": "text", "text": piece.text or ""}
        for piece in message.pieces
    ]


def _processor(launch: Launch) -> Any:
    """The library's own; where that asks for torchvision to cut up films, the same without films."""
    import transformers

    try:
        return transformers.AutoProcessor.from_pretrained(launch.path, **options_of(launch))
    except ImportError:
        return _without_films(launch)


def _without_films(launch: Launch) -> Any:
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    options = options_of(launch)
    config = transformers.AutoConfig.from_pretrained(launch.path, **options)
    kind: Any = getattr(transformers, PROCESSOR_MAPPING_NAMES[config.model_type])

    def is_proper(self: Any, name: str, part: Any) -> Any:
        return None if name == "video_processor" else kind.check_argument_for_proper_class(self, name, part)

    tokenizer = transformers.AutoTokenizer.from_pretrained(launch.path, **options)
    images = transformers.AutoImageProcessor.from_pretrained(launch.path, **options)
    still = type(kind.__name__, (kind,), {"check_argument_for_proper_class": is_proper})
    return still(images, tokenizer, None, chat_template=tokenizer.chat_template)
