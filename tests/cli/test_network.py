"""The commands and the network: what opens a connection, what never does, and what is said of it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from http.cookiejar import Cookie, CookieJar
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.hubs.server import hub
from tests.loopback import Asked, Content, Loopback, Reply, serving
from weigh.cli.main import weigh as command
from weigh.cli.network import site_of
from weigh.hubs import HUBS, huggingface, modelscope

FAR = ["hf:org/name", "ms:org/name@rev:file.gguf", "http://127.0.0.1:9/x", "https://127.0.0.1:9/x"]


@pytest.fixture
def folder(samples: Path) -> dict[str, Content]:
    root = samples / "tiny-llama-chat"
    return {path.name: path.read_bytes() for path in root.iterdir()}


def run(server: Loopback, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "HF_ENDPOINT": f"{server.url}/",
        "MODELSCOPE_ENDPOINT": server.url,
        "HF_TOKEN": "hf_abc",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return subprocess.run(
        [sys.executable, "-m", "weigh", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        encoding="utf-8",
        timeout=60,
        env=environment,
    )


@pytest.mark.usefixtures("socket_disabled")
@pytest.mark.parametrize("reference", FAR)
@pytest.mark.parametrize("action", ["report", "inspect", "check"])
def test_offline_opens_no_connection_and_says_so(action: str, reference: str) -> None:
    done = CliRunner().invoke(command, [action, reference, "--offline", "--json"], standalone_mode=False)
    assert done.exception is None and done.return_value == 2
    assert "--offline" in json.loads(done.stdout)["error"]["message"]


@pytest.mark.usefixtures("socket_disabled")
@pytest.mark.parametrize("reference", ["Qwen/Qwen3-8B", "huggingface.co/Qwen/Qwen3-8B", "ollama:qwen3", "echo:", "hf"])
def test_a_name_opens_no_connection(reference: str) -> None:
    done = CliRunner().invoke(command, ["report", reference, "--json"], standalone_mode=False)
    assert done.exception is None and "error" not in json.loads(done.stdout)


def test_what_no_hub_here_answers_to_is_said_not_to_be_opened() -> None:
    done = CliRunner().invoke(command, ["report", "ollama:qwen3", "--json"], standalone_mode=False)
    said = json.loads(done.stdout)
    assert (said["verdict"], [skip["reason"] for skip in said["skips"]]) == ("incomplete", ["not-fetched"])


def test_a_model_on_a_hub_is_weighed_and_what_it_took_is_said(folder: dict[str, Content]) -> None:
    with serving(hub(folder)) as server:
        done = run(server, "hf:org/name", "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(server.asked)} requests" in done.stdout.splitlines()[-1]
    assert "weigh pull hf:org/name" in done.stdout
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer hf_abc"}
    assert all(asked.headers["user-agent"].startswith("weigh/") for asked in server.asked)


def test_json_says_nothing_of_the_network(folder: dict[str, Content]) -> None:
    with serving(hub(folder)) as server:
        there = json.loads(run(server, "ms:org/name", "--json").stdout)
    assert there["verdict"] == "clean"
    assert "requests" not in json.dumps(there)


def test_an_error_of_the_network_is_one_line(folder: dict[str, Content]) -> None:
    with serving(lambda asked: Reply(404)) as server:
        done = run(server, "hf:org/name")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and "404" in done.stderr


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that says nothing of hubs."""
    for one in HUBS:
        for name in (*one.endpoint_variables, *one.token_variables, "HF_HOME", "HF_TOKEN_PATH", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_without_a_word_the_hubs_are_where_they_always_are(bare: Path) -> None:
    assert [(site_of(one).endpoint, site_of(one).token) for one in HUBS] == [
        ("https://huggingface.co", None),
        ("https://www.modelscope.cn", None),
    ]


def test_a_domain_is_an_endpoint_by_https(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_DOMAIN", "hub.example:8443")
    assert site_of(modelscope.HUB).endpoint == "https://hub.example:8443"


@pytest.mark.parametrize("place", [".cache/huggingface/token", "home/token", "elsewhere"])
def test_a_token_is_found_where_the_stock_client_keeps_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    file = bare / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("hf_kept\n")
    monkeypatch.setenv("HF_HOME", str(bare / "home"))
    if place == "elsewhere":
        monkeypatch.setenv("HF_TOKEN_PATH", str(file))
    if place.startswith(".cache"):
        monkeypatch.delenv("HF_HOME")
    assert site_of(huggingface.HUB).token == "hf_kept"


def jar(name: str, token: str, domain: str, *, protocol: int) -> bytes:
    """As modelscope keeps its login: a cookie jar, pickled."""
    cookies = CookieJar()
    for number, (own, value) in enumerate([("csrf", "x"), (name, token), ("after", "y")]):
        cookies.set_cookie(
            Cookie(
                version=0, name=own, value=value, port=None, port_specified=False, domain=domain, domain_specified=True,
                domain_initial_dot=False, path="/", path_specified=True, secure=False, expires=2**31 + number,
                discard=False, comment=None, comment_url=None, rest={},
            )
        )  # fmt: skip
    return pickle.dumps(list(cookies), protocol=protocol)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_login_is_found_in_modelscopes_cookies_and_nothing_is_unpickled(
    bare: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    file = bare / ".modelscope" / "credentials" / "cookies"
    file.parent.mkdir(parents=True)
    file.write_bytes(jar("m_session_id", "ms-abc", "www.modelscope.cn", protocol=protocol))
    monkeypatch.setattr(pickle, "loads", None)
    assert site_of(modelscope.HUB).token == "ms-abc"
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "https://elsewhere.example")
    assert site_of(modelscope.HUB).token is None


@pytest.mark.parametrize("data", [b"", b"cposix\nsystem\n(S'false'\ntR.", b"\x80\x04", b"I9\n" * 1000])
def test_a_jar_that_is_none_gives_no_token(bare: Path, data: bytes) -> None:
    file = bare / ".modelscope" / "credentials" / "cookies"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    assert site_of(modelscope.HUB).token is None


@pytest.mark.parametrize("token", ["hf_\x00x", "two\nlines", "ключ"])
def test_a_token_that_is_no_header_is_not_sent(bare: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    file = bare / "token"
    file.write_text(token)
    monkeypatch.setenv("HF_TOKEN_PATH", str(file))
    assert site_of(huggingface.HUB).token is None


@pytest.mark.skipif(sys.platform == "win32", reason="terminals there are made otherwise")
@pytest.mark.parametrize(("option", "shown"), [("--lang=en", True), ("--quiet", False), ("--json", False)])
def test_on_a_terminal_what_takes_longer_shows_how_far_it_is(
    folder: dict[str, Content], option: str, shown: bool
) -> None:
    import pty

    def late(asked: Asked) -> Reply:
        time.sleep(0.7)
        return hub(folder)(asked)

    master, terminal = pty.openpty()
    drawn = bytearray()

    def watch() -> None:
        while not drawn.endswith(b"the end"):
            drawn.extend(os.read(master, 4096))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with serving(late) as server:
        done = run(server, "hf:org/name", option, stderr=terminal)
    os.write(terminal, b"the end")
    watcher.join(10)
    os.close(terminal)
    os.close(master)
    assert done.returncode == 0
    assert (b"requests," in drawn) is shown and (drawn != b"the end") is shown
