"""Speech into text, text into speech and into music, by transformers."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Done, Event, Fault, Job, MakeSound, Segment, Speak, Transcribe, work_of
from weigh.engines.media import made_by, samples_of, wav

MOST_SEED = 1 << 31
_SPECTRAL, _VOCODER = "SpeechT5ForTextToSpeech", "microsoft/speecht5_hifigan"
_TOKENS_A_SECOND = 50  # of MusicGen's codec


def load(launch: Launch) -> Voice:
    """In the child."""
    import transformers

    if launch.threads:
        import torch

        torch.set_num_threads(launch.threads)
    task = "automatic-speech-recognition" if launch.works[0] == "transcribe" else "text-to-audio"
    vocoder = {"vocoder": _vocoder(launch)} if launch.architecture == _SPECTRAL else {}
    pipe = transformers.pipeline(
        task,
        model=launch.path,
        device=launch.device or "cpu",
        trust_remote_code=bool(launch.trust_remote_code),
        model_kwargs={} if launch.allow_pickle else {"use_safetensors": True},
        **vocoder,
    )
    return Voice(pipe, launch)


def _vocoder(launch: Launch) -> Any:
    """What makes SpeechT5's spectrogram a sound: in its folder, beside it, or where a hub's client keeps it.

    Raises Failed without one: the library would fetch it.
    """
    import transformers

    folder = os.path.normpath(launch.path)
    places = (os.path.join(folder, "vocoder"), os.path.join(os.path.dirname(folder), os.path.basename(_VOCODER)))
    place = next((place for place in places if os.path.isdir(place)), _VOCODER)
    options = {"local_files_only": True, "use_safetensors": None if launch.allow_pickle else True}
    try:
        found = transformers.SpeechT5HifiGan.from_pretrained(place, **options)
    except OSError as error:
        detail = f"it speaks through a vocoder: put {_VOCODER} into its folder as vocoder"
        raise Failed(Fault(kind="unsupported", detail=detail)) from error
    return found.to(launch.device or "cpu")


class Voice:
    """One job at a time."""

    def __init__(self, pipe: Any, launch: Launch) -> None:
        self._pipe = pipe
        self._launch = launch
        self.ready = Ready(works=launch.works[:1], parallel=1)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Segments, or a sound."""
        match job:
            case Transcribe() if self.ready.works == ("transcribe",):
                yield from self._heard(job)
            case Speak() if self.ready.works == ("speak",):
                yield self._said(job, job.text, job.seed, self._spoken(job))
            case MakeSound() if self.ready.works == ("sound",):
                yield self._said(job, job.prompt, job.seed, self._played(job))
            case _:
                yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")
                return
        yield Done()

    def _heard(self, job: Transcribe) -> Generator[Event, None, None]:
        rate = self._pipe.feature_extractor.sampling_rate
        samples = samples_of(job.audio, rate)
        is_whisper = self._pipe.model.config.model_type == "whisper"
        told = self._pipe({"raw": samples, "sampling_rate": rate}, **(_asked(job) if is_whisper else {}))
        chunks = told.get("chunks")
        if not chunks:
            yield Segment(text=told["text"], start=0.0, end=len(samples) / rate, language=job.language)
            return
        for chunk in chunks:
            start, end = chunk.get("timestamp") or (None, None)
            yield Segment(text=chunk["text"], start=start, end=end, language=job.language)

    def _said(self, job: Job, text: str, seed: int | None, options: dict[str, Any]) -> Event:
        import torch

        used = seed if seed is not None else secrets.randbelow(MOST_SEED)
        torch.manual_seed(used)
        told = self._pipe(text, **options)
        samples = told["audio"].squeeze()
        samples = samples.T if samples.ndim > 1 else samples
        return wav(samples, told["sampling_rate"], made_by(self._launch, job, used))

    def _spoken(self, job: Speak) -> dict[str, Any]:
        config = self._pipe.model.config
        if job.voice is not None:
            speakers = getattr(config, "num_speakers", 1) or 1
            if not job.voice.isdigit() or int(job.voice) >= speakers:
                raise Failed(Fault(kind="bad_input", detail=f"its voices are numbers below {speakers}"))
        if job.speed is not None and config.model_type == "vits":
            self._pipe.model.speaking_rate = job.speed
        if config.model_type == "speecht5":
            import torch

            return {"forward_params": {"speaker_embeddings": torch.zeros(1, config.speaker_embedding_dim)}}
        return {"forward_params": {"speaker_id": int(job.voice)}} if job.voice is not None else {}

    def _played(self, job: MakeSound) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if job.seconds is not None:
            codec = getattr(self._pipe.model.config, "audio_encoder", None)
            options["max_new_tokens"] = max(
                int(job.seconds * (getattr(codec, "frame_rate", None) or _TOKENS_A_SECOND)), 1
            )
        if job.guidance is not None:
            options["guidance_scale"] = job.guidance
        return {"generate_kwargs": options} if options else {}


def _asked(job: Transcribe) -> dict[str, Any]:
    options: dict[str, Any] = {"task": "translate" if job.translate else "transcribe"}
    if job.language is not None:
        options["language"] = job.language
    return {"generate_kwargs": options if job.language or job.translate else {}, "return_timestamps": True}
