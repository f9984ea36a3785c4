"""Where an answer of `weigh run` goes: the suffix decides the form, and no file is lost or left by halves."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import numpy
import pytest
import soundfile
from click.testing import CliRunner, Result
from PIL import Image

from weigh.cli.main import weigh
from weigh.cli.run_files import FORMS, STANDARD, path_of, place_of, usual_place, write
from weigh.core.errors import BadReference, SourceError
from weigh.core.work import WORKS, Media, Work
from weigh.engines.forms import reformed
from weigh.engines.media import png, wav


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[Result, int]:
    result = CliRunner().invoke(weigh, ["run", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result, int(result.return_value)


def placed(out: str, work: Work) -> str:
    place = place_of(out, work, "org/model", as_json=False)
    assert place is not None
    return path_of(place, 1)


PLACES = """
a.png        image       a.png
a.JPG        image       a.JPG
picture      image       picture
.hidden      image       .hidden
a.b.wav      speak       a.b.wav
main.py      chat        main.py
a.srt        transcribe  a.srt
inside       image       inside/model.png
inside/      video       inside/model.mp4
inside/a.npy embed       inside/a.npy
-            image       -
"""


@pytest.mark.parametrize("line", PLACES.split("\n")[1:-1])
def test_a_name_and_a_work_give_a_path(here: Path, line: str) -> None:
    (here / "inside").mkdir()
    out, work, path = line.split()
    assert placed(out, next(one for one in WORKS if one == work)) == path


REFUSED = """
a.wav        image       run.form
a.png        video       run.form
a.vtt        embed       run.form
a.png        transcribe  run.form
no/a.png     image       run.no_folder
no/          image       run.no_folder
"""


@pytest.mark.parametrize("line", REFUSED.split("\n")[1:-1])
def test_a_place_that_cannot_be_is_refused_before_anything_runs(here: Path, line: str) -> None:
    out, work, key = line.split()
    with pytest.raises((BadReference, SourceError), match=key.replace(".", r"\.")):
        placed(out, next(one for one in WORKS if one == work))


def test_what_nobody_named_takes_no_other_files_place(here: Path) -> None:
    place = usual_place("image", "org/model")
    taken = []
    for number in range(1, 4):
        taken.append(path_of(place, number))
        write(taken[-1], b"x")
    assert taken == ["model.png", "model-2.png", "model-3.png"]


def test_several_files_of_one_name_are_numbered(here: Path) -> None:
    place = place_of("a.png", "image", "model", as_json=False)
    assert place is not None
    assert [path_of(place, number) for number in (1, 2)] == ["a.png", "a-2.png"]


def test_a_file_has_the_mode_that_the_mask_leaves_and_keeps_the_one_it_had(here: Path) -> None:
    mask = os.umask(0o027)
    try:
        write("a", b"1")
        os.chmod("a", 0o604)
        write("a", b"2")
        write("b", b"1")
    finally:
        os.umask(mask)
    assert [stat.S_IMODE((here / name).stat().st_mode) for name in "ab"] == [0o604, 0o640]


def test_what_is_no_plain_file_is_written_into_and_stays_what_it_was(here: Path) -> None:
    (here / "nothing").symlink_to(os.devnull)
    write("nothing", b"x")
    assert stat.S_ISCHR((here / "nothing").stat().st_mode) and (here / "nothing").is_symlink()


def test_a_link_is_followed(here: Path) -> None:
    (here / "b").write_text("old")
    (here / "a").symlink_to(here / "b")
    write("a", b"new")
    assert (here / "a").is_symlink() and (here / "b").read_text() == "new"


def test_a_disk_that_is_full_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SourceError, match=r"run\.cannot_write"):
        write("a", b"x")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(("form", "kind"), [("jpg", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
@pytest.mark.parametrize("prompt", ["a cat", "一只猫"])
def test_a_picture_of_any_form_says_what_made_it(form: str, kind: str, prompt: str) -> None:
    made = {"prompt": prompt, "seed": 7}
    picture = Image.open(io.BytesIO(reformed(png(Image.new("RGB", (16, 8)), made), form)))
    assert (picture.format, picture.size) == (kind, (16, 8))
    told = picture.info["weigh"] if form == "png" else comment(picture.getexif().get_ifd(0x8769)[0x9286])
    assert json.loads(told) == made


def comment(told: bytes) -> str:
    return told[8:].decode("ascii" if told.startswith(b"ASCII") else "utf-16-le")


@pytest.mark.parametrize(("form", "kind"), [("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3"), ("wav", "WAV")])
def test_a_sound_of_any_form_says_what_made_it(form: str, kind: str) -> None:
    made = {"prompt": "雨", "seed": 7}
    with soundfile.SoundFile(io.BytesIO(reformed(wav(numpy.zeros(8000), 16_000, made), form))) as sound:
        assert (sound.format, sound.samplerate, json.loads(sound.comment)) == (kind, 16_000, made)
        assert sound.frames >= 8000


def test_depths_are_numbers_too() -> None:
    into = io.BytesIO()
    Image.fromarray(numpy.arange(6, dtype="uint16").reshape(2, 3)).save(into, "PNG")
    depths = numpy.load(io.BytesIO(reformed(Media(mime="image/png", data=into.getvalue()), "npy")), allow_pickle=False)
    assert depths.dtype == "uint16" and depths.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_every_work_but_text_has_forms() -> None:
    assert set(WORKS) - FORMS.keys() == {"chat", "complete"}


def test_a_text_goes_into_the_file_alone(here: Path) -> None:
    result, status = run("echo:", "how heavy", "--out", "answer.txt")
    assert (result.stdout, status) == ("answer.txt\n", 0)
    assert (here / "answer.txt").read_text() == "how heavy\n"


def test_a_text_may_be_kept_as_json(here: Path) -> None:
    run("echo:", "how heavy", "--out", "answer.json")
    assert json.loads((here / "answer.json").read_text())["text"] == "how heavy"


def test_json_names_the_file(here: Path) -> None:
    told = json.loads(run("echo:", "how heavy", "--out", "answer.txt", "--json")[0].stdout)
    assert told["files"] == [{"path": "answer.txt"}] and told["text"] == "how heavy"


def test_standard_output_has_one_answer(here: Path) -> None:
    result, status = run("echo:", "x", "--out", STANDARD, "--json")
    assert status == 2 and "standard output" in result.stderr


def test_a_form_that_the_work_has_not_is_one_line(here: Path) -> None:
    result, status = run("echo:", "x", "--work", "embed", "--out", "a.png")
    assert (status, len(result.stderr.splitlines())) == (2, 1) and "json, npy" in result.stderr


OPTIONS = """
--temperature nan
--temperature -1
--top-p 2
--top-p 0
--max-tokens 0
--seed -1
--seed 99999999999999999999
--steps 0
--strength 1.5
--threshold 2
--seconds inf
--seconds 0
--frames 0
--fps 0
--speed 0
--top 0
--dimensions 0
--threads 0
--context 0
--gpu-layers -1
--guidance nan
"""


@pytest.mark.parametrize("line", OPTIONS.split("\n")[1:-1])
def test_an_option_out_of_bounds_is_refused(line: str) -> None:
    result = CliRunner().invoke(weigh, ["run", "echo:", "x", *line.split()])
    assert result.exit_code == 2 and line.split()[0] in result.stderr


@pytest.mark.parametrize("typed", ["", " \n"])
def test_nothing_is_no_question(typed: str) -> None:
    result = CliRunner().invoke(weigh, ["run", "echo:", "-"], input=typed, standalone_mode=False)
    assert result.return_value == 2 and "give it something" in result.stderr


def test_an_answer_that_no_schema_held_is_no_success() -> None:
    result, status = run("echo:", "no JSON", "--json-schema", '{"type": "object"}')
    assert status == 2 and "JSON Schema" in result.stderr


def test_a_system_prompt_and_what_is_filled_in_may_be_files(here: Path) -> None:
    (here / "end.txt").write_text("the end")
    result, status = run("echo:", "begin", "--fim", "end.txt")
    assert status == 0 and "begin" in result.stdout
