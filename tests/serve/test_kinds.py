"""Each kind of model that makes or reads media, through the server with OpenAI's own client."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import httpx
import openai
import pytest
import soundfile
from PIL import Image

from tests.serve.server import HERE, serving
from tests.tiny import made

MODELS = {
    "drawn": ("image", "video", "sound"),
    "heard": ("wav2vec2", "vits"),
    "seen": ("classifier", "detector", "depth"),
}
pytestmark = pytest.mark.filterwarnings("ignore:deprecated", "ignore:The Sora API")


def by(module: str) -> Callable[[Path], None]:
    """Written in a process of its own: what a library warns of is its own matter."""

    def write(folder: Path) -> None:
        code = f"import pathlib, sys; from tools.tiny import {module}; {module}.write(pathlib.Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(folder)], cwd=HERE.parents[1], check=True, capture_output=True)

    return write


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    folders = {module: made(tmp_path_factory, module, by(module)) for module in MODELS}
    paths = [str(folders[module] / name) for module, names in MODELS.items() for name in names]
    with (
        serving(*paths, "--parallel", "1") as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=300) as client,
    ):
        yield client


def picture() -> bytes:
    into = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(into, "PNG")
    return into.getvalue()


def sound() -> bytes:
    into = io.BytesIO()
    soundfile.write(into, [0.1, -0.1] * 8000, 16000, format="WAV")
    return into.getvalue()


def post(client: openai.OpenAI, path: str, body: dict[str, object]) -> httpx.Response:
    answer = httpx.post(f"{client.base_url}{path}", json=body, timeout=300)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_picture_from_words_is_of_the_size_asked_for(client: openai.OpenAI) -> None:
    more = {"steps": 2, "seed": 7}
    answer = client.images.generate(model="image", prompt="a scale", size="64x64", extra_body=more)
    drawn = Image.open(io.BytesIO(base64.b64decode((answer.data or [])[0].b64_json or "")))
    assert drawn.size == (64, 64)
    assert '"seed": 7' in drawn.info["weigh"]


def test_a_film_has_its_frames(client: openai.OpenAI) -> None:
    more = {"steps": 2, "frames": 5, "fps": 8}
    video = client.videos.create(model="video", prompt="a scale", extra_body=more, size="64x64")  # type: ignore[arg-type]
    done = client.videos.poll(video.id, poll_interval_ms=200)
    assert done.status == "completed", done.error
    with av.open(io.BytesIO(client.videos.download_content(video.id).read())) as film:
        assert sum(1 for _ in film.decode(video=0)) == 5


def test_music_is_of_the_length_asked_for(client: openai.OpenAI) -> None:
    answer = post(client, "audio/generations", {"model": "sound", "prompt": "bells", "seconds": 0.1, "steps": 2})
    assert soundfile.info(io.BytesIO(answer.content)).frames > 0


@pytest.mark.parametrize("form", ["wav", "mp3"])
def test_a_text_is_read_aloud(client: openai.OpenAI, form: str) -> None:
    spoken = client.audio.speech.create(model="vits", voice="default", input="hello", response_format=form)  # type: ignore[arg-type]
    assert soundfile.info(io.BytesIO(spoken.content)).duration > 0


def test_what_is_said_is_written_down(client: openai.OpenAI) -> None:
    told = client.audio.transcriptions.create(
        model="wav2vec2", file=("sound.wav", sound()), response_format="verbose_json"
    )
    assert told.task == "transcribe" and told.segments


def test_a_picture_is_classified_searched_and_measured(client: openai.OpenAI) -> None:
    url = "data:image/png;base64," + base64.b64encode(picture()).decode()
    labels = post(client, "classify", {"model": "classifier", "image": url}).json()["labels"]
    assert labels and all(0 <= one["score"] <= 1 for one in labels)
    found = post(client, "detect", {"model": "detector", "image": url, "threshold": 0.0}).json()["labels"]
    assert all(len(one["box"]) == 4 for one in found)
    depth = Image.open(io.BytesIO(post(client, "depth", {"model": "depth", "image": url}).content))
    assert depth.size == (64, 64) and depth.mode.startswith("I")
