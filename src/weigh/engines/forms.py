"""A picture or a sound in another form, with what made it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from weigh.core.errors import EngineError
from weigh.core.work import Media
from weigh.engines.media import KEY

_PICTURES = {"jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
_SOUNDS = {"flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS")}
_OWN: Mapping[str, str] = {"image/png": "png", "audio/wav": "wav", "video/mp4": "mp4"}
_USER_COMMENT, _EXIF = (
    0x9286,
    0x8769,
)  # Source: https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E
_QUALITY = 95


def reformed(media: Media, form: str) -> bytes:
    """`form` is a suffix. Raises EngineError without the library that writes it."""
    if form == _OWN[media.mime]:
        return media.data
    if form in _PICTURES:
        return _picture(media.data, _PICTURES[form])
    if form in _SOUNDS:
        return _sound(media.data, *_SOUNDS[form])
    return depth_npy(media.data)


def depth_npy(data: bytes) -> bytes:
    """The points of a picture in shades of grey, as a .npy file of its type, row by row."""
    import numpy

    into = io.BytesIO()
    numpy.save(into, numpy.asarray(_opened(data)), allow_pickle=False)
    return into.getvalue()


def _picture(data: bytes, form: str) -> bytes:
    picture = _opened(data)
    into = io.BytesIO()
    made = picture.info.get(KEY)
    exif = picture.getexif()
    if isinstance(made, str):
        told = made.encode("utf-16-le") if not made.isascii() else made.encode("ascii")
        exif.get_ifd(_EXIF)[_USER_COMMENT] = (b"ASCII\0\0\0" if made.isascii() else b"UNICODE\0") + told
    picture.convert("RGB").save(into, form, quality=_QUALITY, exif=exif)
    return into.getvalue()


def _sound(data: bytes, container: str, codec: str) -> bytes:
    try:
        import soundfile
    except ImportError as error:
        raise EngineError("run.missing", engine="soundfile", extra="weigh[torch]") from error
    with soundfile.SoundFile(io.BytesIO(data)) as own:
        samples, rate, channels, comment = own.read(), own.samplerate, own.channels, own.comment
    into = io.BytesIO()
    with soundfile.SoundFile(into, "w", rate, channels, codec, format=container) as file:
        file.comment, file.software = comment, KEY
        file.write(samples)
    return into.getvalue()


def _opened(data: bytes) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise EngineError("run.missing", engine="Pillow", extra="weigh[diffusers]") from error
    return Image.open(io.BytesIO(data))
