"""A WAV as another format of sound."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from typing import Any, Literal

from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.serve.api.refusal import Refusal


class _Codec(Value, frozen=True, kw_only=True):
    """How PyAV writes one format."""

    container: str
    name: str
    samples: str


SoundFormat = Literal["wav", "pcm", "flac", "mp3", "opus", "aac"]
MIMES: Mapping[SoundFormat, str] = {
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
}
COMMON_RATE = 48000  # every codec takes it
_BY_AV: Mapping[SoundFormat, _Codec] = {
    "flac": _Codec(container="flac", name="flac", samples="s16"),
    "mp3": _Codec(container="mp3", name="libmp3lame", samples="fltp"),
    "opus": _Codec(container="ogg", name="libopus", samples="flt"),
    "aac": _Codec(container="adts", name="aac", samples="fltp"),
}


def recoded(data: bytes, form: SoundFormat) -> bytes:
    """Raises Refusal where the library for it is not here."""
    if form == "pcm":
        with wave.open(io.BytesIO(data)) as file:
            return bytes(file.readframes(file.getnframes()))
    codec = _BY_AV[form]
    try:
        import av
    except ImportError as error:
        raise Refusal(501, "unsupported", Saying("refusal.recode", format=form)) from error
    into = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(into, "w", format=codec.container) as target:
        _copy(source, target, codec)
    return into.getvalue()


def _copy(source: Any, target: Any, codec: _Codec) -> None:
    import av

    heard = source.streams.audio[0]
    layout = "mono" if heard.channels == 1 else "stereo"
    rates = av.codec.Codec(codec.name, "w").audio_rates
    told = target.add_stream(codec.name, rate=heard.rate if not rates or heard.rate in rates else COMMON_RATE)
    told.layout, told.format = layout, codec.samples
    plain = av.AudioResampler(format=codec.samples, layout=layout, rate=told.rate)
    for frame in source.decode(heard):
        for piece in plain.resample(frame):
            target.mux(told.encode(piece))
    for piece in plain.resample(None):
        target.mux(told.encode(piece))
    target.mux(told.encode())
