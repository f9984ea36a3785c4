"""Speech into text by faster-whisper: Whisper as CTranslate2 keeps it, without torch."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Candidate, Engine, Failed, Launch, Ready
from weigh.core.work import Done, Event, Fault, Job, Segment, Transcribe, Work, work_of
from weigh.engines.media import samples_of

RATE = 16000
SPEC = "WhisperSpec"  # what model.bin calls itself


def load(launch: Launch) -> Listener:
    """In the child."""
    import faster_whisper

    model = faster_whisper.WhisperModel(
        launch.path,
        device=launch.device or "auto",
        compute_type=launch.dtype or "default",
        cpu_threads=launch.threads or 0,
        local_files_only=True,
    )
    return Listener(model)


class Listener:
    """One job at a time; given up between two stretches."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.ready = Ready(works=("transcribe",), parallel=1)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Each stretch as soon as it is heard."""
        if not isinstance(job, Transcribe):
            yield Fault(kind="unsupported", detail=f"this model does not {work_of(job)}")
            return
        try:
            stretches, told = self._model.transcribe(
                samples_of(job.audio, RATE),
                language=job.language,
                task="translate" if job.translate else "transcribe",
                initial_prompt=job.prompt,
            )
        except ValueError as error:  # a language that it does not know
            raise Failed(Fault(kind="bad_input", detail=str(error))) from error
        for one in stretches:
            yield Segment(text=one.text, start=one.start, end=one.end, language=told.language)
            if cancelled.is_set():
                yield Done(finish_reason="cancelled")
                return
        yield Done()


def _works(candidate: Candidate) -> tuple[Work, ...]:
    is_its_own = candidate.format == "ctranslate2" and candidate.architecture == SPEC
    return ("transcribe",) if is_its_own else ()


ENGINE = Engine(
    name="faster-whisper",
    extra="speech",
    needs=("faster_whisper", "soundfile"),
    reach="child",
    module="weigh.engines.faster_whisper",
    works=_works,
)
