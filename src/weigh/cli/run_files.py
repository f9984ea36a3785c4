"""Where an answer goes: by its suffix the form, by its name the place."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Mapping

from weigh.core.errors import BadReference, SourceError
from weigh.core.value import Value
from weigh.core.work import Work

PICTURES, SOUNDS, LISTS = ("png", "jpg", "jpeg", "webp"), ("wav", "flac", "ogg", "mp3"), ("txt", "json")
STANDARD = "-"
# The forms of each work, the usual one first; a text goes into a file of any name.
FORMS: Mapping[Work, tuple[str, ...]] = {
    "classify": LISTS,
    "compute": ("npz",),
    "depth": ("png", "npy"),
    "detect": (*PICTURES, "json"),
    "embed": ("json", "npy"),
    "image": PICTURES,
    "rerank": LISTS,
    "sound": SOUNDS,
    "speak": SOUNDS,
    "transcribe": ("txt", "srt", "vtt", "json"),
    "video": ("mp4",),
}
_MOST_FILES = 100_000


class Place(Value, frozen=True, kw_only=True):
    """A folder, a name without its suffix, and the form. What nobody named takes no other file's place."""

    folder: str
    stem: str
    form: str
    dot: str = "."
    is_named: bool = False

    @property
    def is_standard(self) -> bool:
        """Whether it is standard output."""
        return self.folder == STANDARD


def place_of(out: str | None, work: Work, model: str, *, as_json: bool) -> Place | None:
    """None for what is only shown. Raises BadReference for a form that the work has not, SourceError for no place."""
    forms = FORMS.get(work, ())
    usual, stem = forms[0] if forms else "txt", model.rpartition("/")[2]
    if out is None:
        return None
    if out == STANDARD:
        if as_json:
            raise BadReference("run.one_output")
        return Place(folder=STANDARD, stem=STANDARD, form=usual)
    if os.path.isdir(out) or out.endswith(("/", os.sep)):
        return Place(folder=_writable(out, out), stem=stem, form=usual)
    folder, name = os.path.split(out)
    before, dot, suffix = name.rpartition(".")
    form = suffix.lower() if dot and before else usual
    if forms and form not in forms:
        raise BadReference("run.form", path=out, form=form, work=work, known=", ".join(forms))
    stem, ending = (before, f".{suffix}") if dot and before else (name, "")
    return Place(folder=_writable(folder or os.curdir, out), stem=stem, form=form, dot=ending, is_named=True)


def usual_place(work: Work, model: str) -> Place:
    """Here, under the model's name."""
    return Place(folder=os.curdir, stem=model.rpartition("/")[2], form=FORMS[work][0])


def path_of(place: Place, number: int) -> str:
    """Of the first file, the second and so on."""
    if place.is_standard:
        return STANDARD
    if place.is_named:
        return _join(place, f"{place.stem}{f'-{number}' if number > 1 else ''}{place.dot}")
    for at in range(1, _MOST_FILES):
        path = _join(place, f"{place.stem}{f'-{at}' if at > 1 else ''}.{place.form}")
        if not os.path.lexists(path):
            return path
    raise SourceError("run.cannot_write", path=place.folder, reason=f"{_MOST_FILES}")


def write(path: str, data: bytes) -> None:
    """Whole or not at all; into what is no plain file, as it comes. Raises SourceError."""
    try:
        if path == STANDARD:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        elif os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "wb") as file:
                file.write(data)
        else:
            _replace(os.path.realpath(path), data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SourceError("run.cannot_write", path=path, reason=error.strerror or str(error)) from error


def _replace(path: str, data: bytes) -> None:
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".weigh-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(draft, _mode(path))
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _mode(path: str) -> int:
    """That of the file whose place it takes, else what the user's mask leaves."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _join(place: Place, name: str) -> str:
    return name if place.folder == os.curdir else os.path.join(place.folder, name)


def _writable(folder: str, out: str) -> str:
    if not os.path.isdir(folder):
        raise SourceError("run.no_folder", path=out)
    if not os.access(folder, os.W_OK):
        raise SourceError("run.not_writable", path=out)
    return folder
