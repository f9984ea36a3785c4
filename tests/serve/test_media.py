"""OpenAI's own client against the routes of pictures, sounds and videos."""

from __future__ import annotations

import base64
import io
import resource
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
import soundfile

from tests.serve.server import staging

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:openai", "ignore:deprecated", "ignore:The Sora API")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    with (
        staging(tmp_path_factory.mktemp("stage")) as staged,
        openai.OpenAI(base_url=f"{staged.address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


def post(client: openai.OpenAI, path: str, body: dict[str, object]) -> httpx.Response:
    return httpx.post(f"{client.base_url}{path}", json=body, timeout=30)


def test_pictures_are_drawn_at_the_size_and_number_asked_for(client: openai.OpenAI) -> None:
    answer = client.images.generate(model="stage", prompt="a scale", n=2, size="32x16")
    assert [size_of(base64.b64decode(one.b64_json or "")) for one in answer.data or ()] == [(32, 16)] * 2


def test_a_picture_is_drawn_in_steps_that_are_told(client: openai.OpenAI) -> None:
    body = {"model": "stage", "prompt": "a scale", "stream": True}
    lines = post(client, "images/generations", body).text.splitlines()
    told = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert told == ["image_generation.progress"] * 3 + ["image_generation.completed"]


def test_a_picture_is_changed(client: openai.OpenAI) -> None:
    answer = client.images.edit(model="stage", prompt="redder", image=io.BytesIO(b"picture"), mask=io.BytesIO(b"mask"))
    assert size_of(base64.b64decode((answer.data or [])[0].b64_json or "")) == (8, 6)


@pytest.mark.parametrize("size", ["huge", "99999x1", "0x5"])
def test_a_size_that_cannot_be_is_refused(client: openai.OpenAI, size: str) -> None:
    with pytest.raises(openai.BadRequestError, match="size"):
        client.images.generate(model="stage", prompt="a scale", size=size)  # type: ignore[call-overload]


@pytest.mark.parametrize(("form", "container"), [("wav", "WAV"), ("flac", "FLAC"), ("mp3", "MP3"), ("opus", "OGG")])
def test_speech_comes_in_the_format_asked_for(client: openai.OpenAI, form: str, container: str) -> None:
    spoken = client.audio.speech.create(model="stage", voice="default", input="hello", response_format=form)  # type: ignore[arg-type]
    sound = soundfile.SoundFile(io.BytesIO(spoken.content))
    assert sound.format == container
    assert sound.frames / sound.samplerate == pytest.approx(0.5, abs=0.1)


def test_speech_comes_as_bare_samples_and_as_aac(client: openai.OpenAI) -> None:
    pcm = client.audio.speech.create(model="stage", voice="default", input="hello", response_format="pcm")
    assert len(pcm.content) == 16000
    aac = client.audio.speech.create(model="stage", voice="default", input="hello", response_format="aac")
    assert aac.content[:2] == b"\xff\xf1"


TEXTS = {
    "text": "Hello world.\n",
    "srt": "1\n00:00:00,000 --> 00:00:01,500\nHello\n\n2\n00:00:01,500 --> 01:01:01,250\nworld.\n",
    "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello\n\n00:00:01.500 --> 01:01:01.250\nworld.\n",
}


@pytest.mark.parametrize("form", TEXTS)
def test_what_was_said_comes_as_text_or_subtitles(client: openai.OpenAI, form: str) -> None:
    told = client.audio.transcriptions.create(model="stage", file=b"sound", response_format=form)  # type: ignore[call-overload]
    assert told == TEXTS[form]


def test_what_was_said_comes_with_its_times(client: openai.OpenAI) -> None:
    assert client.audio.transcriptions.create(model="stage", file=b"sound").text == "Hello world."
    told = client.audio.transcriptions.create(
        model="stage", file=b"sound", response_format="verbose_json", language="fr"
    )
    assert (told.language, told.duration) == ("fr", 3661.25)
    assert [segment.text for segment in told.segments or ()] == [" Hello", " world."]
    assert client.audio.translations.create(model="stage", file=b"sound").text == "Hello world."


def test_a_video_is_a_job(client: openai.OpenAI) -> None:
    video = client.videos.create(model="stage", prompt="slowly", seconds="4", size="720x1280")
    assert video.status == "queued"
    with pytest.raises(openai.ConflictError):
        client.videos.download_content(video.id)
    done = client.videos.poll(video.id, poll_interval_ms=100)
    assert (done.status, done.progress) == ("completed", 100)
    assert client.videos.download_content(video.id).read()[4:8] == b"ftyp"
    assert video.id in [one.id for one in client.videos.list()]
    assert client.videos.delete(video.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(video.id)


def test_a_video_under_way_can_be_dropped(client: openai.OpenAI) -> None:
    video = client.videos.create(model="stage", prompt="slowly", input_reference=io.BytesIO(b"picture"))
    assert client.videos.delete(video.id).deleted
    assert video.id not in [one.id for one in client.videos.list()]


def test_labels_boxes_and_depths(client: openai.OpenAI) -> None:
    picture = "data:image/png;base64," + base64.b64encode(b"picture").decode()
    assert post(client, "classify", {"text": "meow", "labels": ["cat"]}).json()["labels"] == [
        {"label": "cat", "score": 0.5}
    ]
    assert post(client, "classify", {"text": "meow", "image": picture}).status_code == 400
    assert post(client, "detect", {"image": picture}).json()["labels"] == [
        {"label": "cat", "score": 0.9, "box": [1, 2, 3, 4]}
    ]
    assert size_of(post(client, "depth", {"image": picture}).content) == (4, 3)
    assert post(client, "detect", {"image": "http://127.0.0.1/cat.png"}).status_code == 400


def test_videos_are_kept_for_the_next_server_within_bounds(tmp_path: Path) -> None:
    settings = {"media_folder": str(tmp_path / "media"), "media_number": 2}
    with staging(tmp_path, **settings) as staged:
        made = [finished(staged.address)["id"] for _ in range(3)]
    with staging(tmp_path, **settings) as staged:
        kept = httpx.get(f"{staged.address}/v1/videos?order=asc").json()["data"]
        assert {video["id"] for video in kept} == set(made[1:])
    assert len(list((tmp_path / "media").glob("*.mp4"))) == 2


def test_a_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    with staging(tmp_path, media_folder=str(tmp_path / "media"), preexec=_little_files) as staged:
        video = finished(staged.address)
        assert (video["status"], video["error"]["code"]) == ("failed", "disk_full")
        assert list((tmp_path / "media").iterdir()) == []
        assert httpx.post(f"{staged.address}/v1/classify", json={"text": "still here"}).status_code == 200


def _little_files() -> None:
    """A file of this process ends at 2,000 bytes, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def finished(address: str) -> dict[str, dict[str, str]]:
    """A video, once it is over."""
    video = httpx.post(f"{address}/v1/videos", json={"prompt": "quickly"}, timeout=30).json()
    while video["status"] in ("queued", "in_progress"):
        time.sleep(0.05)
        video = httpx.get(f"{address}/v1/videos/{video['id']}").json()
    return video  # type: ignore[no-any-return]
