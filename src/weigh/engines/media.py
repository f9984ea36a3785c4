"""Pictures, sounds and films as files that say what made them; and sounds of any kind as numbers."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Iterable
from typing import Any

from weigh.core.engine import Failed, Launch
from weigh.core.work import Fault, Job, Media, work_of

KEY = "weigh"
_WEIGHTS = (".safetensors", ".gguf", ".onnx", ".bin", ".pt", ".tflite", ".keras", ".pb", ".xml")
_PIECE = 1 << 20


def made_by(launch: Launch, job: Job, seed: int | None) -> dict[str, Any]:
    """What a media file says of itself: model, its hash, the job in words, the seed it was really made with."""
    asked = {
        key: value
        for key in ("prompt", "negative", "text", "voice", "steps", "guidance")
        if (value := getattr(job, key, None)) is not None
    }
    return {
        "model": os.path.basename(os.path.normpath(launch.path)),
        "sha256": digest_of(launch.path),
        "engine": launch.engine,
        "work": work_of(job),
        **asked,
        "seed": seed,
    }


def digest_of(path: str) -> str:
    """SHA-256 of a file; of a folder, that of the list of its weights' SHA-256 and names, as sha256sum prints it."""
    if os.path.isfile(path):
        return _sha256(path)
    found = sorted(
        os.path.relpath(os.path.join(root, name), path)
        for root, _, names in os.walk(path)
        for name in names
        if name.endswith(_WEIGHTS)
    )
    lines = (f"{_sha256(os.path.join(path, name))}  {name}\n" for name in found)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def png(picture: Any, made: dict[str, Any]) -> Media:
    """A PIL image, with what made it as a text chunk."""
    from PIL import PngImagePlugin

    told = PngImagePlugin.PngInfo()
    told.add_itxt(KEY, _line(made))
    into = io.BytesIO()
    picture.save(into, "PNG", pnginfo=told)
    return Media(mime="image/png", data=into.getvalue(), seed=made.get("seed"))


def wav(samples: Any, rate: int, made: dict[str, Any]) -> Media:
    """Numbers from -1 to 1, of shape (samples,) or (samples, channels), as PCM of 16 bits."""
    import numpy
    import soundfile

    into = io.BytesIO()
    level = numpy.nan_to_num(numpy.asarray(samples, dtype="float32"))
    channels = level.shape[1] if level.ndim > 1 else 1
    with soundfile.SoundFile(into, "w", int(rate), channels, "PCM_16", format="WAV") as file:
        file.comment = _line(made)
        file.software = KEY
        file.write(numpy.clip(level, -1, 1))
    return Media(mime="audio/wav", data=into.getvalue(), seed=made.get("seed"))


def mp4(frames: Iterable[Any], fps: int, made: dict[str, Any]) -> Media:
    """Frames of shape (height, width, 3), U8, as H.264. Raises Failed without PyAV."""
    try:
        import av
    except ImportError as error:
        detail = "a film needs PyAV: pip install 'weigh[speech]'"
        raise Failed(Fault(kind="unsupported", detail=detail)) from error
    into = io.BytesIO()
    with av.open(into, "w", format="mp4") as container:
        container.metadata["comment"] = _line(made)
        stream: Any = None
        for frame in frames:
            height, width = frame.shape[:2]
            if stream is None:
                stream = container.add_stream("libx264", rate=fps)
                stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
            picture = av.VideoFrame.from_ndarray(frame[: stream.height, : stream.width], format="rgb24")
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode())
    return Media(mime="video/mp4", data=into.getvalue(), seed=made.get("seed"))


def picture_of(data: bytes, *, mode: str = "RGB") -> Any:
    """A PIL image. Raises Failed for what is no picture, or one of absurd size."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data)).convert(mode)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Failed(Fault(kind="bad_input", detail=f"no picture that can be read: {error}")) from error


def samples_of(data: bytes, rate: int) -> Any:
    """A sound as F32 of shape (samples,), one channel, at `rate` a second. Raises Failed for what is no sound."""
    import soundfile

    try:
        samples, own = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        samples, own = _by_av(data, error)
    return _resampled(samples.mean(axis=1), own, rate)


def _by_av(data: bytes, cause: Exception) -> tuple[Any, int]:
    """What libsndfile does not read: m4a, webm, films."""
    try:
        import av
        import numpy

        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.audio[0]
            plain = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
            pieces = [piece.to_ndarray() for frame in container.decode(stream) for piece in plain.resample(frame)]
        return numpy.concatenate(pieces, axis=1).T, int(stream.rate)
    except (ImportError, OSError, ValueError, IndexError) as error:
        raise Failed(Fault(kind="bad_input", detail=f"no sound that can be read: {cause}")) from error


def _resampled(samples: Any, own: int, rate: int) -> Any:
    if own == rate:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(own, rate)
    return resample_poly(samples, rate // common, own // common).astype("float32")


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _line(made: dict[str, Any]) -> str:
    return json.dumps(made, ensure_ascii=False)
