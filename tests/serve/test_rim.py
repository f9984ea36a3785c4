"""The rim of the server: keys, TLS, pages of others, its log, its description, its settings and its end."""

from __future__ import annotations

import datetime
import ipaddress
import json
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.serve.server import Staged, serving, staging
from tests.tiny import made
from tools.tiny import text
from weigh.cli.serve import serve
from weigh.serve.api.settings import ModelSetting, Settings, read_settings

OF_THE_COMMAND = {"config", "help"}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    folder = tmp_path_factory.mktemp("stage")
    with staging(folder, api_keys=["one", "two"], cors_origins=["https://page.example"]) as staged:
        yield staged


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer two"}, 200),
        ({"x-api-key": "one"}, 200),
        ({"Authorization": "Bearer tw"}, 401),
        ({"Authorization": "Basic two"}, 401),
        ({"x-api-key": ""}, 401),
        ({}, 401),
    ],
)
def test_only_who_knows_a_key_comes_in(staged: Staged, headers: dict[str, str], status: int) -> None:
    answer = httpx.get(f"{staged.address}/v1/models", headers=headers)
    assert answer.status_code == status
    assert (answer.headers.get("www-authenticate") == "Bearer") == (status == 401)


@pytest.mark.parametrize("path", ["/v1/messages", "/api/chat", "/metrics", "/openapi.json", "/v1/weigh"])
def test_every_door_but_health_is_shut(staged: Staged, path: str) -> None:
    assert httpx.get(f"{staged.address}{path}").status_code == 401
    assert httpx.get(f"{staged.address}/health").status_code == 200


def test_a_page_that_was_named_may_ask_and_another_may_not(staged: Staged) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    url = f"{staged.address}/v1/chat/completions"
    answer = httpx.options(url, headers={"Origin": "https://page.example", **asked})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    answer = httpx.options(url, headers={"Origin": "https://other.example", **asked})
    assert "access-control-allow-origin" not in answer.headers


def test_the_description_is_of_every_route_and_its_shapes_hold(staged: Staged) -> None:
    told = httpx.get(f"{staged.address}/openapi.json", headers={"x-api-key": "one"}).json()
    assert told["openapi"] == "3.1.0"
    assert {"/v1/chat/completions", "/v1/messages", "/api/chat", "/v1/videos/{id}", "/v1/models/{name}"} <= set(
        told["paths"]
    )
    names = [one["operationId"] for path in told["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
    shape = told["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = {**shape, "components": told["components"]}
    jsonschema.validate({"messages": [{"role": "user", "content": "hello"}], "temperature": 0.5}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"messages": "hello"}, schema)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Made by itself, for this machine alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weigh")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_it_speaks_tls_with_a_certificate(tmp_path: Path) -> None:
    public, private = certificate(tmp_path)
    with serving("echo:", "--tls-certificate", str(public), "--tls-key", str(private)) as address:
        assert address.startswith("https://")
        trust = ssl.create_default_context(cafile=str(public))
        assert httpx.get(f"{address}/health", verify=trust).json()["status"] == "ok"
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/health")


def test_flags_and_keys_are_the_same() -> None:
    flags = {str(parameter.name) for parameter in serve.params} - OF_THE_COMMAND
    assert flags == set(Settings.__struct_fields__) - {"models"}


def test_a_file_holds_every_key(tmp_path: Path) -> None:
    file = tmp_path / "weigh.toml"
    file.write_text(
        'port = 0\nqueue = 7\napi_keys = ["secret"]\nidle_seconds = 5\n'
        '[models.talker]\nreference = "echo:"\npinned = true\nparallel = 2\n',
        "utf-8",
    )
    assert read_settings(str(file)) == Settings(
        port=0,
        queue=7,
        api_keys=("secret",),
        idle_seconds=5,
        models={"talker": ModelSetting(reference="echo:", pinned=True, parallel=2)},
    )
    with serving("--config", str(file)) as address:
        answer = httpx.get(f"{address}/v1/models", headers={"x-api-key": "secret"}).json()
        assert [model["id"] for model in answer["data"]] == ["talker"]


def log_of(folder: Path, *, log_prompts: bool) -> list[dict[str, object]]:
    """What a server writes of one chat, and of one that fails."""
    file = folder / "log"
    with file.open("w") as log, staging(folder, log_prompts=log_prompts, log=log) as staged:
        url = f"{staged.address}/v1/chat/completions"
        for text in ("secret words", "overflow"):
            asked = {"messages": [{"role": "user", "content": text}]}
            answer = httpx.post(url, json=asked, headers={"X-Request-Id": "mine-1"}, timeout=30)
            assert answer.headers["x-request-id"] == "mine-1"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_log_is_lines_of_json_without_prompts(tmp_path: Path) -> None:
    lines = log_of(tmp_path, log_prompts=False)
    assert [(line["id"], line["status"], line["model"], line["outcome"]) for line in lines] == [
        ("mine-1", 200, "stage", "stop"),
        ("mine-1", 400, "stage", "context_overflow"),
    ]
    assert lines[0]["prompt_tokens"] == 5
    assert "secret" not in str(lines)


def test_prompts_are_logged_where_that_is_wanted(tmp_path: Path) -> None:
    lines = log_of(tmp_path, log_prompts=True)
    assert lines[0]["asked"] == [{"role": "user", "content": "secret words"}]
    assert lines[0]["answered"] == "secret words"


@pytest.mark.parametrize(("prompt", "ending"), [("slow 10", "[DONE]"), ("wait", "shutting_down")])
def test_at_the_end_a_stream_may_finish_or_is_told(tmp_path: Path, prompt: str, ending: str) -> None:
    with staging(tmp_path, drain_seconds=3) as staged:
        asked = {"messages": [{"role": "user", "content": prompt}], "stream": True}
        with httpx.stream("POST", f"{staged.address}/v1/chat/completions", json=asked, timeout=30) as answer:
            lines = answer.iter_lines()
            next(lines)
            staged.server.send_signal(signal.SIGTERM)
            last = [line for line in lines if line]
        assert last[-1] == "data: [DONE]"
        assert ending in last[-1] or ending in last[-2]
        started = time.monotonic()
        assert staged.server.wait(20) == 0
        assert time.monotonic() - started < 15


def test_any_reference_is_weighed(samples: Path) -> None:
    with serving("echo:") as address:
        report = httpx.get(f"{address}/v1/weigh", params={"reference": "Qwen3-8B-Q4_K_M"}, timeout=60).json()
        assert report["name"]["family"]
        assert httpx.get(f"{address}/v1/weigh").status_code == 400


def test_a_request_is_a_span_of_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    from weigh.serve.api.trace import spans

    seen: dict[str, object] = {}

    class Mark(trace.NonRecordingSpan):  # type: ignore[misc, name-defined]
        def set_attribute(self, key: str, value: object) -> None:
            seen[key] = value

    class Tracer(trace.NoOpTracer):  # type: ignore[misc, name-defined]
        @contextmanager
        def start_as_current_span(self, name: str, **options: object) -> Iterator[Mark]:
            seen["name"] = name
            yield Mark(trace.INVALID_SPAN_CONTEXT)

    monkeypatch.setattr(trace, "get_tracer", lambda name: Tracer())
    with spans()("POST /v1/messages", {"id": "mine", "status": 200, "asked": ["hidden"]}):
        pass
    assert seen == {"name": "POST /v1/messages", "weigh.id": "mine", "weigh.status": 200}


def test_files_of_this_machine_are_weighed_for_friends_alone(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04N.")
    asked = {"reference": str(tmp_path / "a.pkl")}
    with serving("echo:", "--host", "0.0.0.0") as address:
        near = address.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{near}/v1/weigh", params=asked).status_code == 403
        assert httpx.get(f"{near}/v1/weigh", params={"reference": "Qwen3-8B"}).status_code == 200
    with serving("echo:") as address:
        assert httpx.get(f"{address}/v1/weigh", params=asked).status_code == 200


def test_a_model_may_be_run_by_a_server_of_the_user_s(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    gguf = made(tmp_path_factory, "text", text.write) / "model-F32.gguf"
    with serving("echo:") as near:
        (tmp_path / "serve.toml").write_text(
            f'[models.far]\nreference = "{gguf}"\nengine = "llama-server"\naddress = "{near}"\nname = "echo"\n'
        )
        asked = {"model": "far", "messages": [{"role": "user", "content": "from afar"}]}
        with serving("--config", str(tmp_path / "serve.toml")) as address:
            answer = httpx.post(f"{address}/v1/chat/completions", json=asked, timeout=60).json()
    assert answer["choices"][0]["message"]["content"] == "from afar"
