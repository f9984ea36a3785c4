"""Pictures, films, sounds and transcripts of engines, beside the library called directly with the same seed."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
import soundfile
from PIL import Image

from tests.engines.asking import media, run, tone
from tests.engines.parity.read import apart, pipeline
from weigh.core.work import Job, MakeImage, MakeSound, MakeVideo, Segment, Speak, Transcribe


def drawn(place: Path) -> float:
    own = _pipe(place)("cat", width=32, height=40, num_inference_steps=2, guidance_scale=3, generator=_seed()).images[0]
    job = MakeImage(prompt="cat", width=32, height=40, steps=2, guidance=3, seed=7)
    with Image.open(io.BytesIO(media(run(place, job)).data)) as picture:
        return apart(numpy.asarray(picture), numpy.asarray(own))


def filmed(place: Path) -> float:
    """The mean over all pixels, from 0 to 1: H.264 keeps no frame as it was."""
    options = {"width": 32, "height": 32, "num_frames": 9, "num_inference_steps": 2}
    own = _pipe(place)("cat", **options, output_type="np", generator=_seed()).frames[0]
    job = MakeVideo(prompt="cat", width=32, height=32, frames=9, fps=8, steps=2, seed=7)
    with av.open(io.BytesIO(media(run(place, job)).data)) as film:
        found = numpy.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]) / 255
    assert found.shape == own.shape
    return float(numpy.abs(found - own).mean())


def played(place: Path) -> float:
    own = _pipe(place)("cat", audio_end_in_s=0.1, num_inference_steps=2, generator=_seed()).audios[0]
    return _sound(place, MakeSound(prompt="cat", seconds=0.1, steps=2, seed=7), own.float().numpy().T)


def spoken(place: Path) -> float:
    import torch

    pipe = pipeline("text-to-audio", place)
    torch.manual_seed(3)
    own = pipe("hello scales", forward_params={"speaker_id": 1})
    return _sound(place, Speak(text="hello scales", voice="1", seed=3), own["audio"].squeeze())


def sung(place: Path) -> float:
    import torch

    pipe = pipeline("text-to-audio", place)
    torch.manual_seed(1)
    own = pipe("abc", generate_kwargs={"max_new_tokens": 50})
    return _sound(place, MakeSound(prompt="abc", seconds=0.5, seed=1), own["audio"].squeeze())


def heard(place: Path) -> float:
    """Letters, by the loudest of each frame: the library's parts, without its pipeline."""
    import torch
    import transformers

    samples, rate = soundfile.read(io.BytesIO(tone()), dtype="float32")
    model, processor = transformers.AutoModelForCTC.from_pretrained(place), transformers.AutoProcessor.from_pretrained(place)  # fmt: skip
    with torch.inference_mode():
        logits = model(**processor(samples, sampling_rate=rate, return_tensors="pt")).logits
    return float(transcript(place, Transcribe(audio=tone())) != processor.batch_decode(logits.argmax(-1))[0])


def written_down(place: Path) -> float:
    """Texts and times by Whisper, in beams as its pipeline searches."""
    import transformers

    samples, rate = soundfile.read(io.BytesIO(tone()), dtype="float32")
    model, processor = transformers.WhisperForConditionalGeneration.from_pretrained(place), transformers.AutoProcessor.from_pretrained(place)  # fmt: skip
    read = processor(samples, sampling_rate=rate, return_tensors="pt").input_features
    ids = model.generate(read, language="en", task="transcribe", return_timestamps=True, num_beams=5)
    told = processor.decode(ids[0], output_offsets=True)["offsets"]
    own = [(one["text"], *(round(time, 2) for time in one["timestamp"])) for one in told]
    found = [one for one in run(place, Transcribe(audio=tone(), language="en")) if isinstance(one, Segment)]
    assert own
    return float([(one.text, one.start, one.end) for one in found] != own)


def heard_by_ctranslate2(place: Path) -> float:
    """The library draws again, by chance, what it finds too dull: that is left out on both sides."""
    import faster_whisper

    whole = faster_whisper.WhisperModel.transcribe
    dull = functools.partialmethod(whole, temperature=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faster_whisper.WhisperModel, "transcribe", dull)
        return _heard_twice(place)


def _heard_twice(place: Path) -> float:
    import faster_whisper

    samples, _ = soundfile.read(io.BytesIO(tone()), dtype="float32")
    own = faster_whisper.WhisperModel(str(place), device="cpu").transcribe(samples)[0]
    told = [(one.text, one.start, one.end) for one in own]
    found = [one for one in run(place, Transcribe(audio=tone())) if isinstance(one, Segment)]
    assert told
    return float([(one.text, one.start, one.end) for one in found] != told)


def transcript(place: Path, job: Job) -> str:
    return "".join(one.text for one in run(place, job) if isinstance(one, Segment))


def _sound(place: Path, job: Job, expected: Any) -> float:
    """Samples from -1 to 1, after their 16 bits."""
    found, _ = soundfile.read(io.BytesIO(media(run(place, job)).data), dtype="float32")
    return apart(found, numpy.clip(expected, -1, 1))


def _pipe(place: Path) -> Any:
    import diffusers

    pipe = diffusers.DiffusionPipeline.from_pretrained(str(place))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _seed() -> Any:
    import torch

    return torch.Generator("cpu").manual_seed(7)
