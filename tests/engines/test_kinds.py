"""Every kind of model through its engine, and what the library itself says of the same input."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
import soundfile
from PIL import Image

from tests.engines.asking import labels, media, picture, rows, run, tone
from tests.tiny import made
from tools.tiny import drawn, embedders, heard, seen
from weigh.app.candidate import candidate
from weigh.app.offer import offered
from weigh.app.run import Asked
from weigh.app.weigh import weigh
from weigh.core.work import (
    Classify,
    Depth,
    Detect,
    Done,
    Embed,
    Event,
    Fault,
    Job,
    MakeImage,
    MakeSound,
    MakeVideo,
    Piece,
    Progress,
    Rerank,
    Scores,
    Segment,
    Speak,
    Transcribe,
    work_of,
)

# The libraries warn of themselves and of each other; what they compute is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore")

Made = Callable[[str], Path]
SIDE = 48
CLOSE = 1e-4


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Made:
    makers = {"seen": seen.write, "heard": heard.write, "drawn": drawn.write, "embedders": embedders.write}

    def folder(place: str) -> Path:
        family, _, name = place.partition("/")
        return made(tmp_path_factory, family, makers[family]) / name

    return folder


def pipeline(task: str, folder: Path) -> Any:
    import transformers

    return transformers.pipeline(task, model=str(folder))


def test_vectors_are_the_library_s_own(kind: Made) -> None:
    import sentence_transformers

    texts = ["the cat sat", "过 秤", "a dog ran on the mat"]
    own = sentence_transformers.SentenceTransformer(str(kind("embedders/embedder")), device="cpu")
    found = rows(run(kind("embedders/embedder"), Embed(pieces=tuple(Piece(text=one) for one in texts))))
    assert numpy.allclose(found, own.encode(texts), atol=CLOSE)


def test_a_query_has_the_prompt_that_the_model_brings(kind: Made) -> None:
    import sentence_transformers

    own = sentence_transformers.SentenceTransformer(str(kind("embedders/embedder")), device="cpu")
    found = rows(run(kind("embedders/embedder"), Embed(pieces=(Piece(text="scales"),), purpose="query")))
    assert numpy.allclose(found, own.encode(["scales"], prompt_name="query"), atol=CLOSE)
    assert not numpy.allclose(found, own.encode(["scales"]), atol=0.01)


def test_shorter_vectors_are_of_unit_length_again(kind: Made) -> None:
    found = rows(run(kind("embedders/embedder"), Embed(pieces=(Piece(text="scales"),), dimensions=8)))
    assert found.shape == (1, 8) and math.isclose(float((found**2).sum()), 1, rel_tol=1e-5)


def test_ranks_are_the_library_s_own(kind: Made) -> None:
    import sentence_transformers

    documents = ("a dog ran", "the cat sat on the mat", "heavy scales")
    own = sentence_transformers.CrossEncoder(str(kind("embedders/reranker")), device="cpu")
    found = next(
        event
        for event in run(kind("embedders/reranker"), Rerank(query="the cat", documents=documents))
        if isinstance(event, Scores)
    )
    assert numpy.allclose(found.scores, own.predict([("the cat", one) for one in documents]), atol=CLOSE)


def test_a_picture_is_classified_as_the_library_does(kind: Made) -> None:
    own = pipeline("image-classification", kind("seen/classifier"))(Image.open(io.BytesIO(picture())))
    found = labels(run(kind("seen/classifier"), Classify(piece=Piece(image=picture()), top=3)))
    assert [one.label for one in found] == [one["label"] for one in own]
    assert numpy.allclose([one.score for one in found], [one["score"] for one in own], atol=CLOSE)


def test_things_are_found_where_the_library_finds_them(kind: Made) -> None:
    own = pipeline("object-detection", kind("seen/detector"))(Image.open(io.BytesIO(picture())), threshold=0.0)
    found = labels(run(kind("seen/detector"), Detect(image=picture(), threshold=0.0)))
    assert len(found) == len(own) > 0
    assert {one.label for one in found} == {one["label"] for one in own}
    assert all(one.box is not None for one in found)


def test_depth_is_a_picture_of_16_bits_and_of_the_same_size(kind: Made) -> None:
    with Image.open(io.BytesIO(media(run(kind("seen/depth"), Depth(image=picture()))).data)) as depth:
        assert depth.size == (SIDE, SIDE) and depth.mode.startswith("I;16")
        assert numpy.asarray(depth).std() > 0


def test_labels_of_ones_own_are_tried_by_clip(kind: Made) -> None:
    own = pipeline("zero-shot-image-classification", kind("seen/clip"))(
        Image.open(io.BytesIO(picture())), candidate_labels=["cat", "scales"]
    )
    found = labels(run(kind("seen/clip"), Classify(piece=Piece(image=picture()), labels=("cat", "scales"))))
    assert numpy.allclose([one.score for one in found], [one["score"] for one in own], atol=CLOSE)


def test_clip_puts_texts_and_pictures_into_one_space(kind: Made) -> None:
    found = rows(run(kind("seen/clip"), Embed(pieces=(Piece(text="cat"), Piece(image=picture())))))
    assert found.shape == (2, 16) and numpy.allclose((found**2).sum(axis=1), 1, atol=CLOSE)


def test_what_is_said_is_what_the_library_hears(kind: Made) -> None:
    samples, rate = soundfile.read(io.BytesIO(tone()), dtype="float32")
    own = pipeline("automatic-speech-recognition", kind("heard/wav2vec2"))({"raw": samples, "sampling_rate": rate})
    found = [one for one in run(kind("heard/wav2vec2"), Transcribe(audio=tone())) if isinstance(one, Segment)]
    assert "".join(one.text for one in found) == own["text"]


def test_whisper_tells_when(kind: Made) -> None:
    events = run(kind("heard/whisper"), Transcribe(audio=tone(), language="en"))
    segments = [event for event in events if isinstance(event, Segment)]
    assert isinstance(events[-1], Done) and segments
    assert all(one.start is not None and one.end is not None and one.start <= one.end for one in segments)


def test_speech_is_a_sound_that_says_what_made_it(kind: Made) -> None:
    job = Speak(text="hello scales", voice="1", seed=3)
    spoken = media(run(kind("heard/vits"), job))
    with soundfile.SoundFile(io.BytesIO(spoken.data)) as sound:
        assert sound.samplerate == 16000 and sound.frames > 1000
        told = json.loads(sound.comment)
    assert (told["model"], told["text"], told["seed"]) == ("vits", "hello scales", 3)
    assert media(run(kind("heard/vits"), job)).data == spoken.data


def test_music_is_as_long_as_asked(kind: Made) -> None:
    made_sound = media(run(kind("heard/musicgen"), MakeSound(prompt="abc", seconds=0.5, seed=1)))
    with soundfile.SoundFile(io.BytesIO(made_sound.data)) as sound:
        assert 0.3 <= sound.frames / sound.samplerate <= 0.6


def test_a_picture_is_drawn_by_its_seed_and_says_so(kind: Made) -> None:
    job = MakeImage(prompt="cat", width=32, height=40, steps=2, seed=7)
    events = run(kind("drawn/image"), job)
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2]
    with Image.open(io.BytesIO(media(events).data)) as image:
        told = json.loads(image.text["weigh"])
        assert image.size == (32, 40)
        assert (told["prompt"], told["seed"], told["steps"]) == ("cat", 7, 2)
    assert media(run(kind("drawn/image"), job)).data == media(events).data


@pytest.mark.parametrize("mask", [None, picture(32)])
def test_a_picture_is_changed(kind: Made, mask: bytes | None) -> None:
    job = MakeImage(prompt="cat", width=32, height=32, steps=4, seed=7, image=picture(32), mask=mask, strength=0.5)
    with Image.open(io.BytesIO(media(run(kind("drawn/image"), job)).data)) as image:
        assert image.size == (32, 32)


def test_a_film_has_the_frames_that_were_asked_for(kind: Made) -> None:
    job = MakeVideo(prompt="cat", width=32, height=32, frames=9, fps=8, steps=2, seed=7)
    with av.open(io.BytesIO(media(run(kind("drawn/video"), job)).data)) as film:
        frames = list(film.decode(video=0))
        assert len(frames) == 9 and (frames[0].width, frames[0].height) == (32, 32)
        assert json.loads(film.metadata["comment"])["seed"] == 7


def test_a_sound_is_made_by_a_pipeline(kind: Made) -> None:
    made_sound = media(run(kind("drawn/sound"), MakeSound(prompt="cat", seconds=0.1, steps=2, seed=7)))
    with soundfile.SoundFile(io.BytesIO(made_sound.data)) as sound:
        assert sound.samplerate == 400 and abs(sound.frames - 40) <= 4 and sound.channels == 2


@pytest.mark.parametrize(
    ("place", "job", "fault"),
    [
        ("seen/classifier", Classify(piece=Piece(image=b"no picture")), "bad_input"),
        ("seen/classifier", Classify(piece=Piece(text="no picture")), "bad_input"),
        ("seen/clip", Classify(piece=Piece(image=picture())), "bad_input"),
        ("heard/wav2vec2", Transcribe(audio=b"no sound"), "bad_input"),
        ("heard/vits", Speak(text="x", voice="nobody"), "bad_input"),
    ],
)
def test_what_it_cannot_take_is_said(kind: Made, place: str, job: Job, fault: str) -> None:
    last = run(kind(place), job)[-1]
    assert isinstance(last, Fault) and last.kind == fault


@pytest.fixture(scope="module")
def ctranslate2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "ctranslate2", heard.write_ctranslate2) / "kept"


@pytest.fixture
def without_chance(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The library draws again, by chance, what it finds too dull; the options of each call."""
    import faster_whisper

    calls: list[dict[str, Any]] = []
    whole = faster_whisper.WhisperModel.transcribe

    def transcribe(model: Any, samples: Any, **options: Any) -> Any:
        calls.append(options)
        return whole(model, samples, temperature=0, **options)

    monkeypatch.setattr(faster_whisper.WhisperModel, "transcribe", transcribe)
    return calls


def test_faster_whisper_hears_what_the_library_hears(ctranslate2: Path, without_chance: list[dict[str, Any]]) -> None:
    import faster_whisper

    samples, _ = soundfile.read(io.BytesIO(tone()), dtype="float32")
    own = faster_whisper.WhisperModel(str(ctranslate2), device="cpu").transcribe(samples)[0]
    told = [(one.text, one.start, one.end, "en") for one in own]
    events = run(ctranslate2, Transcribe(audio=tone()))
    assert [(one.text, one.start, one.end, one.language) for one in events if isinstance(one, Segment)] == told != []
    assert isinstance(events[-1], Done)


def test_faster_whisper_is_told_the_language_and_to_translate(
    ctranslate2: Path, without_chance: list[dict[str, Any]]
) -> None:
    run(ctranslate2, Transcribe(audio=tone(), language="zh", translate=True, prompt="scales"))
    assert without_chance == [{"language": "zh", "task": "translate", "initial_prompt": "scales"}]


def test_what_ctranslate2_keeps_of_another_kind_is_not_taken_for_whisper(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0" + bytes(64))
    (tmp_path / "config.json").write_text("{}")
    found = candidate(weigh(str(tmp_path)), str(tmp_path))
    assert (found.format, found.architecture, found.works) == ("ctranslate2", "TransformerSpec", ())


@pytest.mark.parametrize(
    ("place", "job"),
    [
        ("embedders/embedder", Embed(pieces=(Piece(text="scales"),))),
        ("drawn/image", MakeImage(prompt="cat", width=32, height=32, steps=2, seed=7)),
        ("seen/classifier", Classify(piece=Piece(image=picture()))),
    ],
)
def test_in_a_process_of_its_own_it_does_the_same(kind: Made, place: str, job: Job) -> None:
    async def go() -> list[Event]:
        model = await offered(str(kind(place)), Asked(work=work_of(job)), lambda command: None).start()
        try:
            return [event async for event in model.run(job)]
        finally:
            await model.close()

    assert asyncio.run(go())[-1] == run(kind(place), job)[-1]
