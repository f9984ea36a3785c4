"""The client for bulk bytes: connections kept, proxies, certificates, answers that break off."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.loopback import Asked, Reply, serving
from weigh.sources.bulk import BulkClient, Surroundings
from weigh.sources.client import Traffic


@pytest.fixture
def client() -> Iterator[BulkClient]:
    client = BulkClient(Traffic(), lambda seconds: None, Surroundings(), agent="test/1")
    yield client
    client.close()


def body(client: BulkClient, url: str, **headers: str) -> bytes:
    answer = client.get(url, headers)
    try:
        return b"".join(answer.chunks())
    finally:
        answer.close()


def test_a_connection_whose_answer_was_read_to_its_end_serves_again(client: BulkClient) -> None:
    ports: list[str] = []

    def answer(asked: Asked) -> Reply:
        ports.append(threading.current_thread().name)
        return Reply(200, {}, b"x" * 100_000)

    with serving(answer) as server:
        assert [len(body(client, f"{server.url}/{at}")) for at in range(3)] == [100_000] * 3
    assert len(set(ports)) == 1
    assert server.asked[0].headers["user-agent"] == "test/1"
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(client: BulkClient) -> None:
    class Once(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            self.close_connection = True  # and the client was not told

    server = ThreadingHTTPServer(("127.0.0.1", 0), Once)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        assert [body(client, f"http://127.0.0.1:{server.server_port}/") for _ in range(3)] == [b"ok"] * 3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_came_before_a_connection_broke_is_not_lost(client: BulkClient) -> None:
    with serving(lambda asked: Reply(200, {}, b"x" * 50_000, cut=20_000)) as server:
        answer = client.get(server.url, {})
        buffer, came = memoryview(bytearray(50_000)), 0
        with pytest.raises(ConnectionError):
            while True:
                came += answer.readinto(buffer[came:])
        answer.close()
    assert came == 20_000


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1", "http://127.0.0.1:port/", "http://127.0.0.1:9/a b"]
)
def test_what_cannot_be_reached_is_a_lost_connection(client: BulkClient, url: str) -> None:
    with pytest.raises(ConnectionError):
        client.get(url, {})


def test_closing_wakes_whoever_reads(client: BulkClient) -> None:
    pause = threading.Event()
    with serving(lambda asked: Reply(200, {}, b"x", pause=pause)) as server:
        answer = client.get(server.url, {})
        threading.Timer(0.1, client.close).start()
        with pytest.raises(ConnectionError):
            answer.readinto(memoryview(bytearray(10)))
        answer.close()
        pause.set()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_only_a_certificate_that_is_trusted_is_listened_to(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), check=True, capture_output=True)

    class Secure(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.end_headers()
            self.wfile.write(b"secret")

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Secure)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    trusting = BulkClient(Traffic(), lambda seconds: None, Surroundings(certificates=str(certificate)), agent="t")
    doubting = BulkClient(Traffic(), lambda seconds: None, Surroundings(), agent="t")
    try:
        assert body(trusting, f"https://127.0.0.1:{server.server_port}/") == b"secret"
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            doubting.get(f"https://127.0.0.1:{server.server_port}/", {})
    finally:
        trusting.close()
        doubting.close()
        server.shutdown()
        thread.join()
        server.server_close()
