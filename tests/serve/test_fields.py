"""Every field that cannot be is refused by its own route's kind of error; every one that can is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.serve.server import serving

HELLO = '[{"role":"user","content":"one two three"}]'
CHAT = f'"model":"echo","messages":{HELLO}'
MESSAGE = f'"max_tokens":9,{CHAT}'
TOOL = '[{"type":"function","function":{"name":"a"}}]'
# route, fields that are right, and after the bar those that are not
WRONG = """
/v1/chat/completions | "max_tokens":0
/v1/chat/completions | "max_tokens":-1
/v1/chat/completions | "temperature":3
/v1/chat/completions | "temperature":"hot"
/v1/chat/completions | "top_p":1.5
/v1/chat/completions | "n":0
/v1/chat/completions | "n":1000
/v1/chat/completions | "frequency_penalty":9
/v1/chat/completions | "logit_bias":{"7":1}
/v1/chat/completions | "top_logprobs":2
/v1/chat/completions | "logprobs":true,"top_logprobs":21
/v1/chat/completions | "messages":[{"role":"wizard","content":"x"}]
/v1/chat/completions | "messages":[{"role":"user"}]
/v1/chat/completions | "tool_choice":"required"
/v1/chat/completions | "tool_choice":"sometimes"
/v1/chat/completions | "tools":TOOL,"tool_choice":{"type":"function","function":{"name":"b"}}
/v1/chat/completions | "response_format":{"type":"json_schema"}
/v1/completions | "max_tokens":-1
/v1/completions | "best_of":3
/v1/completions | "logprobs":50
/v1/completions | "prompt":[]
/v1/responses | "max_output_tokens":0
/v1/responses | "temperature":9
/v1/responses | "tool_choice":"required"
/v1/embeddings | "input":""
/v1/embeddings | "input":["a",""]
/v1/embeddings | "dimensions":0
/v1/embeddings | "dimensions":33
/v1/rerank | "query":""
/v1/rerank | "top_n":0
/v1/images/generations | "prompt":""
/v1/images/generations | "steps":0
/v1/audio/speech | "speed":9
/v1/videos | "prompt":"a film"
/v1/messages | "max_tokens":0
/v1/messages | "temperature":1.5
/v1/messages | "top_k":-1
/v1/messages | "tool_choice":{"type":"tool","name":"b"}
/api/chat | "format":"xml"
/api/chat | "options":{"temperature":-1}
/api/chat | "messages":[{"role":"wizard","content":"x"}]
/api/embed | "input":5
"""
RIGHT = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": '"model":"echo","prompt":"one two"',
    "/v1/responses": '"model":"echo","input":"one two"',
    "/v1/embeddings": '"model":"echo","input":"one two"',
    "/v1/rerank": '"model":"echo","query":"one","documents":["two"]',
    "/v1/images/generations": '"model":"echo","prompt":"x"',
    "/v1/audio/speech": '"model":"echo","input":"x"',
    "/v1/videos": '"model":"echo"',
    "/v1/messages": MESSAGE,
    "/api/chat": CHAT,
    "/api/embed": '"model":"echo","input":"one"',
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("echo:") as address:
        yield address


def asked(route: str, fields: str) -> dict[str, object]:
    return {**json.loads(f"{{{RIGHT[route]}}}"), **json.loads(f"{{{fields.replace('TOOL', TOOL)}}}")}


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_what_cannot_be_is_refused_in_the_route_s_own_form(address: str, line: str) -> None:
    route, fields = line.split(" | ")
    answer = httpx.post(address + route, json=asked(route, fields), timeout=30)
    assert answer.status_code == 400, answer.text
    said = answer.json()
    if route.startswith("/api/"):
        assert isinstance(said["error"], str)
    elif route == "/v1/messages":
        assert (said["type"], said["error"]["type"]) == ("error", "invalid_request_error")
    else:
        assert said["error"].keys() == {"message", "type", "param", "code"}


def test_the_field_that_is_wrong_is_named(address: str) -> None:
    answer = httpx.post(f"{address}/v1/chat/completions", json=asked("/v1/chat/completions", '"top_p":2'))
    assert answer.json()["error"]["param"] == "top_p"


@pytest.mark.parametrize(
    "fields",
    [
        '"temperature":0',
        '"seed":9223372036854775807',
        '"stop":null',
        '"tools":TOOL,"tool_choice":"none"',
        '"tools":[],"tool_choice":"auto"',
        '"logit_bias":{}',
        '"user":"me","metadata":{"a":"b"},"store":false,"something_new":{"x":1}',
        '"reasoning_effort":"low","parallel_tool_calls":true,"service_tier":"auto"',
    ],
)
def test_what_stock_clients_send_is_taken(address: str, fields: str) -> None:
    answer = httpx.post(f"{address}/v1/chat/completions", json=asked("/v1/chat/completions", fields))
    assert answer.json()["choices"][0]["message"]["content"] == "one two three"


@pytest.mark.parametrize(
    ("path", "form"), [("/v1/chat/completions", "code"), ("/v1/messages", "type"), ("/api/chat", None)]
)
def test_a_method_that_a_route_has_not_is_refused_in_its_form(address: str, path: str, form: str | None) -> None:
    answer = httpx.get(address + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    error = answer.json()["error"]
    assert isinstance(error, str) if form is None else error[form]


def test_a_model_is_found_by_its_reference_too(address: str) -> None:
    for name in ("echo", "echo:", "echo:latest"):
        assert httpx.post(f"{address}/v1/completions", json={"model": name, "prompt": "hi"}).status_code == 200


def test_a_length_that_is_too_much_is_refused_before_it_comes(address: str) -> None:
    import socket

    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(
            b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{"
        )
        assert b" 413 " in line.recv(4096)
