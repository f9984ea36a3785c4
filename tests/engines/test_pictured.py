"""Chats about pictures: what the library itself says of the same picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.engines.asking import picture, run, said
from tests.tiny import made
from tools.tiny import pictured, pictured_gguf
from weigh.app.run import Asked
from weigh.core.work import Chat, Complete, Done, Fault, Message, Piece, Sampling

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
SAMPLING = Sampling(max_tokens=12, temperature=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "pictured", pictured.write)


def asked(*pieces: Piece) -> Chat:
    return Chat(messages=(Message(role="user", pieces=pieces),), sampling=SAMPLING)


def image() -> Any:
    return Image.open(io.BytesIO(picture()))


def test_llava_says_what_the_library_s_pipeline_says(folder: Path) -> None:
    import transformers

    turn = {"role": "user", "content": [{"type": "image", "image": image()}, {"type": "text", "text": "weigh"}]}
    pipe = transformers.pipeline("image-text-to-text", model=str(folder / "llava"))
    own = pipe(text=[turn], max_new_tokens=12, do_sample=False, return_full_text=False, skip_special_tokens=False)
    events = run(folder / "llava", asked(Piece(image=picture()), Piece(text="weigh")))
    assert said(events) == own[0]["generated_text"] != ""
    assert isinstance(events[-1], Done) and events[-1].usage.completion_tokens == 12


def test_qwen_says_what_its_model_says_of_pieces_put_together_by_hand(folder: Path) -> None:
    import torch
    import transformers

    place = folder / "qwen"
    images = transformers.Qwen2VLImageProcessor.from_pretrained(place)(images=[image()], return_tensors="pt")
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    number = int(images["image_grid_thw"].prod()) // 4
    text = f"<|im_start|>user\n<|vision_start|>{'<|image_pad|>' * number}<|vision_end|>weigh<|im_end|>\n<|im_start|>assistant\n"
    ids = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    kinds = (ids["input_ids"] == tokenizer.convert_tokens_to_ids("<|image_pad|>")).int()
    model = transformers.Qwen2VLForConditionalGeneration.from_pretrained(place)
    with torch.inference_mode():
        own = model.generate(**ids, **images, mm_token_type_ids=kinds, max_new_tokens=12, do_sample=False)
    events = run(place, asked(Piece(image=picture()), Piece(text="weigh")))
    assert said(events) == tokenizer.decode(own[0, ids["input_ids"].shape[1] :]).removesuffix("<|im_end|>")
    assert isinstance(events[-1], Done) and events[-1].usage.prompt_tokens == ids["input_ids"].shape[1]


def test_the_picture_counts(folder: Path) -> None:
    one = said(run(folder / "qwen", asked(Piece(image=picture()), Piece(text="weigh"))))
    assert one != said(run(folder / "qwen", asked(Piece(image=picture(28)), Piece(text="weigh"))))


def test_it_talks_and_completes_without_a_picture_too(folder: Path) -> None:
    for job in (asked(Piece(text="weigh")), Complete(prompt="The scales", sampling=SAMPLING)):
        assert isinstance(run(folder / "qwen", job)[-1], Done)


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        (Piece(image=b"no picture"), "bad_input"),
        (Piece(audio=b"RIFF"), "unsupported"),
        (Piece(text="weigh " * 400), "context_overflow"),
    ],
)
def test_what_it_cannot_take_is_said(folder: Path, piece: Piece, kind: str) -> None:
    last = run(folder / "qwen", asked(piece))[-1]
    assert isinstance(last, Fault) and last.kind == kind


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "pictured-gguf", pictured_gguf.write)


def test_llama_cpp_says_of_a_picture_what_transformers_says(gguf: Path) -> None:
    job = asked(Piece(image=picture(112)), Piece(text="weigh"))  # of a size that neither of them changes
    own = run(gguf / "repository", job)
    events = run(gguf / "model-F32.gguf", job, Asked(context_length=pictured_gguf.CONTEXT))
    assert said(events) == said(own) != ""
    assert isinstance(events[-1], Done) and isinstance(own[-1], Done)
    assert events[-1].usage.prompt_tokens == own[-1].usage.prompt_tokens


def test_without_a_projector_a_picture_is_refused(gguf: Path, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes((gguf / "model-F32.gguf").read_bytes())
    last = run(tmp_path / "model.gguf", asked(Piece(image=picture(112))), Asked(context_length=256))[-1]
    assert isinstance(last, Fault) and "mmproj" in last.detail
