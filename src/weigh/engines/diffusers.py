"""Pictures, films and sounds by diffusers: any pipeline folder of its classes."""

from __future__ import annotations

import inspect
import secrets
import threading
from collections.abc import Generator
from typing import Any

from weigh.core.engine import Candidate, Engine, Failed, Launch, Ready
from weigh.core.work import Done, Event, Fault, Job, MakeImage, MakeSound, MakeVideo, Progress, Work, work_of
from weigh.engines.media import made_by, mp4, picture_of, png, wav

MOST_SEED = 1 << 31
DEFAULT_FPS = 16
_WORKS: tuple[Work, ...] = ("image", "video", "sound")


def load(launch: Launch) -> Painter:
    """In the child; components that are pickles are not loaded unless that was allowed."""
    import diffusers
    import torch

    if launch.threads:
        torch.set_num_threads(launch.threads)
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": None if launch.allow_pickle else True}
    if launch.dtype is not None:
        options["torch_dtype"] = getattr(torch, launch.dtype)
    pipe = diffusers.DiffusionPipeline.from_pretrained(launch.path, **options)
    pipe.set_progress_bar_config(disable=True)
    return Painter(pipe.to(launch.device or ("cuda" if torch.cuda.is_available() else "cpu")), launch)


class Painter:
    """One job at a time; given up between two steps."""

    def __init__(self, pipe: Any, launch: Launch) -> None:
        self._pipe = pipe
        self._launch = launch
        self.ready = Ready(works=launch.works[:1], parallel=1)

    def run(self, job: Job, cancelled: threading.Event) -> Generator[Event, None, None]:
        """Progress by step, then the files."""
        if work_of(job) not in self.ready.works:
            yield Fault(kind="unsupported", detail=f"this pipeline does not {work_of(job)}")
            return
        assert isinstance(job, MakeImage | MakeVideo | MakeSound)
        import torch

        seed = job.seed if job.seed is not None else secrets.randbelow(MOST_SEED)
        pipe = self._pipe_for(job)
        options = _taken(pipe, {**_asked(job), "generator": torch.Generator("cpu").manual_seed(seed)})
        yield from _in_steps(pipe, options, cancelled, lambda told: self._files(told, job, seed))

    def _pipe_for(self, job: Job) -> Any:
        """The same parts in another order: from a picture, or within a mask."""
        import diffusers

        if not isinstance(job, MakeImage) or job.image is None:
            return self._pipe
        kind = diffusers.AutoPipelineForInpainting if job.mask is not None else diffusers.AutoPipelineForImage2Image
        try:
            pipe = kind.from_pipe(self._pipe)
        except ValueError as error:
            raise Failed(Fault(kind="unsupported", detail=str(error))) from error
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def _files(self, told: Any, job: Job, seed: int) -> list[Event]:
        made = made_by(self._launch, job, seed)
        if isinstance(job, MakeImage):
            return [png(picture, made) for picture in told.images]
        if isinstance(job, MakeVideo):
            return [mp4(map(_frame, told.frames[0][: job.frames]), job.fps or DEFAULT_FPS, made)]
        sound = told.audios[0]
        rate = getattr(getattr(self._pipe, "vae", None), "sampling_rate", None) or _rate(self._pipe)
        samples = sound.float().cpu().numpy() if hasattr(sound, "cpu") else sound
        return [wav(samples.T if samples.ndim > 1 else samples, rate, made)]


def _in_steps(
    pipe: Any, options: dict[str, Any], cancelled: threading.Event, files: Any
) -> Generator[Event, None, None]:
    """The pipeline in a thread of its own, so that its steps can be told as they come."""
    import queue

    events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
    number = int(options.get("num_inference_steps") or 50)

    def after_step(pipe: Any, step: int, timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
        if cancelled.is_set():
            raise Failed(Fault(kind="cancelled"))
        events.put(Progress(done=step + 1, number=max(getattr(pipe, "num_timesteps", number), step + 1)))
        return kept

    def paint() -> None:
        try:
            watched = _taken(pipe, {"callback_on_step_end": after_step})
            for event in files(pipe(**options, **watched)):
                events.put(event)
            events.put(Done())
        except BaseException as error:  # of another thread: told to the one that waits
            events.put(error)
        events.put(None)

    threading.Thread(target=paint, daemon=True).start()
    while (event := events.get()) is not None:
        if isinstance(event, BaseException):
            raise event
        yield event


def _asked(job: MakeImage | MakeVideo | MakeSound) -> dict[str, Any]:
    """In diffusers' words; what nobody asked for is the pipeline's own."""
    asked: dict[str, Any] = {
        "prompt": job.prompt,
        "negative_prompt": job.negative,
        "num_inference_steps": job.steps,
        "guidance_scale": job.guidance,
    }
    if isinstance(job, MakeSound):
        asked |= {"audio_end_in_s": job.seconds, "audio_length_in_s": job.seconds}
    else:
        asked |= {"width": job.width, "height": job.height}
        asked["image"] = picture_of(job.image) if job.image is not None else None
    if isinstance(job, MakeVideo):
        asked |= {"num_frames": job.frames, "output_type": "np"}
    if isinstance(job, MakeImage):
        asked |= {"num_images_per_prompt": job.count, "strength": job.strength}
        asked["mask_image"] = picture_of(job.mask, mode="L") if job.mask is not None else None
    return {key: value for key, value in asked.items() if value is not None}


def _taken(pipe: Any, options: dict[str, Any]) -> dict[str, Any]:
    """What this pipeline's call takes."""
    known = inspect.signature(pipe.__call__).parameters
    return {key: value for key, value in options.items() if key in known}


def _frame(frame: Any) -> Any:
    """As U8 of shape (height, width, 3)."""
    import numpy

    level = numpy.asarray(frame)
    return level if level.dtype == numpy.uint8 else (numpy.clip(level, 0, 1) * 255).round().astype("uint8")


def _rate(pipe: Any) -> int:
    """Of AudioLDM and MusicLDM, whose vocoder knows it."""
    vocoder = getattr(pipe, "vocoder", None)
    return int(getattr(getattr(vocoder, "config", None), "sampling_rate", 16000))


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "diffusers":
        return ()
    return tuple(work for work in candidate.works if work in _WORKS)


ENGINE = Engine(
    name="diffusers",
    extra="diffusers",
    needs=("diffusers", "torch", "transformers", "PIL"),
    reach="child",
    module="weigh.engines.diffusers",
    works=_works,
)
