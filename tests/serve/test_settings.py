"""Flags and keys of the file: each has the other, whatever is wrong is one line, and a policy holds here too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.serve.server import serving
from tests.tiny import made
from tools.tiny import text
from weigh.core.errors import TableError
from weigh.serve.api.settings import Settings, read_settings

KEYS = """
api-key = "one"                  api_keys = ["one"]
cors_origin = ["https://a.org"]  cors_origins = ["https://a.org"]
context = 128                    context_length = 128
idle-seconds = 5                 idle_seconds = 5
json = true                      as_json = true
references = "echo:"             references = ["echo:"]
"""
WRONG = """
porrt = 1
port = 99999
port = "x"
queue = -1
parallel = 0
idle_seconds = nan
lang = "fr"
models = 1
models.a = { reference = "echo:", nope = 1 }
port =
"""


@pytest.mark.parametrize("line", KEYS.strip().splitlines())
def test_a_flag_s_spelling_is_a_key_too(tmp_path: Path, line: str) -> None:
    spelt, _, key = line.partition("  ")
    files = [tmp_path / name for name in ("spelt", "key")]
    for file, said in zip(files, (spelt, key), strict=True):
        file.write_text(said.strip())
    assert read_settings(str(files[0])) == read_settings(str(files[1])) != Settings()


@pytest.mark.parametrize("line", WRONG.strip("\n").splitlines())
def test_what_a_file_cannot_say_is_one_error(tmp_path: Path, line: str) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(line)
    with pytest.raises(TableError):
        read_settings(str(file))


def test_what_all_commands_take_may_stand_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('references = ["echo:"]\nlang = "zh"\noffline = true\nyes = true\n')
    with serving("--config", str(file)) as address:
        answer = httpx.get(f"{address}/v1/models/nobody").json()
    assert "未找到模型" in answer["error"]["message"]


def test_a_flag_goes_before_the_key_even_where_it_is_nought(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text("port = 1\nqueue = 5\n")
    with serving("echo:", "--config", str(file)) as address:  # with --port 0
        assert httpx.get(f"{address}/health").status_code == 200


def refused(*arguments: str, **environment: str) -> str:
    """The one line of a server that does not start."""
    command = [sys.executable, "-m", "weigh", "serve", "--port", "0", *arguments]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path, **environment}, timeout=120
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def test_what_the_policy_does_not_allow_is_not_served(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    gguf = made(tmp_path_factory, "text", text.write) / "model-F32.gguf"
    policy, settings = tmp_path / "policy.toml", tmp_path / "serve.toml"
    policy.write_text('allowed_formats = ["safetensors"]\n')
    settings.write_text(f'policy = "{policy}"\n')
    assert "policy" in refused(str(gguf), "--policy", str(policy), "--lang", "en")
    assert "policy" in refused(str(gguf), "--config", str(settings), "--lang", "en")


@pytest.mark.parametrize("files", [("nothing.pem", "nothing.pem"), ("here.pem", "here.pem")])
def test_a_certificate_that_is_none_is_one_line(tmp_path: Path, files: tuple[str, str]) -> None:
    (tmp_path / "here.pem").write_text("no certificate")
    certificate, key = (str(tmp_path / name) for name in files)
    assert certificate in refused("echo:", "--tls-certificate", certificate, "--tls-key", key)


def test_a_key_of_the_environment_is_asked_for() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEIGH_API_KEY", "secret")
        with serving("echo:") as address:
            assert httpx.get(f"{address}/v1/models").status_code == 401
            headers = {"Authorization": "bearer secret"}
            assert httpx.get(f"{address}/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("how", ['key = "far-secret"', 'key_variable = "FAR_KEY"'])
def test_a_server_of_the_user_s_is_opened_by_its_key_which_no_log_shows(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    gguf = made(tmp_path_factory, "text", text.write) / "model-F32.gguf"
    settings = tmp_path / "serve.toml"
    with pytest.MonkeyPatch.context() as patch, serving("echo:", "--api-key", "far-secret") as near:
        patch.setenv("FAR_KEY", "far-secret")
        table = f'reference = "{gguf}"\nengine = "llama-server"\naddress = "{near}"\nname = "echo"\n{how}\n'
        settings.write_text(f"[models.far]\n{table}")
        with serving("--config", str(settings)) as address:
            asked = {"model": "far", "messages": [{"role": "user", "content": "from afar"}]}
            answer = httpx.post(f"{address}/v1/chat/completions", json=asked, timeout=60).json()
    assert answer["choices"][0]["message"]["content"] == "from afar"


def test_a_key_that_the_environment_has_not_is_one_line(tmp_path: Path) -> None:
    settings = tmp_path / "serve.toml"
    settings.write_text('[models.far]\nreference = "echo:"\nkey_variable = "NOBODY_SET_THIS"\n')
    assert "NOBODY_SET_THIS" in refused("--config", str(settings))
