"""A file from `weigh mirror` to curl: whole, by ranges and over TLS, beside nginx, a bare sendfile loop and others.

nginx is Debian's, where it is installed; granian is taken from the environment that WEIGH_GRANIAN names.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NBYTES = int(os.environ.get("WEIGH_BENCH_NBYTES", 2 << 30))
ROUNDS = 5
NAME = "model.safetensors"
PLACE = f"acme/large/resolve/main/{NAME}"
BARE = """
import os, socket, sys, threading
path, port = sys.argv[1], int(sys.argv[2])
size = os.path.getsize(path)
def serve(connection):
    file = os.open(path, os.O_RDONLY)
    asked = connection.recv(65536).decode()
    start, stop, status = 0, size, "200 OK"
    for line in asked.split("\\r\\n"):
        if line.lower().startswith("range: bytes="):
            first, _, last = line[13:].partition("-")
            start, stop, status = int(first), int(last) + 1, "206 Partial Content"
    head = (f"HTTP/1.1 {status}", f"Content-Length: {stop - start}", "Connection: close", "", "")
    connection.sendall("\\r\\n".join(head).encode())
    while start < stop:
        start += os.sendfile(connection.fileno(), file, start, min(stop - start, 1 << 30))
    connection.close(); os.close(file)
listener = socket.create_server(("127.0.0.1", port), backlog=64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
STARLETTE = """
import sys
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route
app = Starlette(routes=[Route("/{path:path}", lambda request: FileResponse(%r))])
"""
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error; worker_processes 1; events {{ }}
http {{
 access_log off; sendfile on; tcp_nopush on;
 client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
 uwsgi_temp_path {folder}; scgi_temp_path {folder};
 server {{ listen 127.0.0.1:{port}; root {root}; }}
 server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {cert}; ssl_certificate_key {key}; root {root}; }}
}}
"""


def main() -> None:
    """Every server on the same file, by turns; medians in MB a second, and ours over each."""
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        file = write(folder)
        servers = dict(started(folder, file, stack))
        print(f"{NBYTES / 1e6:.0f} MB, medians of {ROUNDS}, MB/s to curl; load {os.getloadavg()[0]:.1f}")
        for title, take in (("whole", whole), ("one range of the half", half), ("8 ranges at once", eight)):
            compare(title, {name: url for name, url in servers.items() if url.startswith("http:")}, take)
        compare("whole over TLS", {name: url for name, url in servers.items() if url.startswith("https:")}, whole)


def write(folder: Path) -> Path:
    """A model of one large tensor."""
    head = json.dumps({"w": {"dtype": "U8", "shape": [NBYTES], "data_offsets": [0, NBYTES]}}).encode()
    path = folder / "hub" / "acme" / "large" / NAME
    path.parent.mkdir(parents=True)
    with open(path, "wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        piece = os.urandom(1 << 20)
        for _ in range(NBYTES >> 20):
            file.write(piece)
    return path


def started(folder: Path, file: Path, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Each server that is here, by its name; skipped by name where it is not."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    made = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    )
    subprocess.run(
        [*made, "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1"], check=True, capture_output=True
    )
    flags = ["--state", str(folder / "state"), "--patience", "600"]
    ours = [sys.executable, "-m", "weigh", "mirror", str(folder / "hub"), *flags]
    port = free()
    yield "weigh", stack.enter_context(server([*ours, "--port", str(port)], f"http://127.0.0.1:{port}/{PLACE}"))
    port = free()
    tls = ["--tls-certificate", str(certificate), "--tls-key", str(key), "--port", str(port)]
    yield "weigh, TLS", stack.enter_context(server([*ours, *tls], f"https://127.0.0.1:{port}/{PLACE}"))
    port = free()
    yield (
        "a bare sendfile loop",
        stack.enter_context(server([sys.executable, "-c", BARE, str(file), str(port)], f"http://127.0.0.1:{port}/")),
    )
    yield from nginx(folder, file, stack)
    port = free()
    command = [
        "openssl",
        "s_server",
        "-quiet",
        "-WWW",
        "-accept",
        str(port),
        "-cert",
        str(certificate),
        "-key",
        str(key),
    ]
    address = f"https://127.0.0.1:{port}/{NAME}"
    yield "openssl s_server, TLS", stack.enter_context(server(command, address, cwd=file.parent))
    (folder / "peer.py").write_text(STARLETTE % str(file))
    for name, python, module in peers():
        port = free()
        where = ["--host", "127.0.0.1", "--port", str(port)]
        extra = ["--log-level", "warning"] if module == "uvicorn" else ["--interface", "asgi", "--no-ws"]
        command = [python, "-m", module, *where, *extra, "peer:app"]
        yield name, stack.enter_context(server(command, f"http://127.0.0.1:{port}/{NAME}", cwd=folder))


def peers() -> Iterator[tuple[str, str, str]]:
    yield "Starlette, uvicorn", sys.executable, "uvicorn"
    if python := os.environ.get("WEIGH_GRANIAN"):
        yield "Starlette, granian", python, "granian"
    else:
        print("SKIPPED granian: WEIGH_GRANIAN names no Python that has it")


def nginx(folder: Path, file: Path, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """With sendfile, plain and over TLS."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        print("SKIPPED nginx: it is not installed; a bare sendfile loop stands for it")
        return
    plain, tls = free(), free()
    values = {"folder": folder, "root": file.parent, "cert": folder / "cert.pem", "key": folder / "key.pem"}
    (folder / "nginx.conf").write_text(NGINX.format(port=plain, tls=tls, **values))
    command = [program, "-c", str(folder / "nginx.conf")]
    yield "nginx", stack.enter_context(server(command, f"http://127.0.0.1:{plain}/{NAME}"))
    yield "nginx, TLS", f"https://127.0.0.1:{tls}/{NAME}"


@contextmanager
def server(command: list[str], url: str, cwd: Path | None = None) -> Iterator[str]:
    """Once it answers: the first answer of ours waits for the file's hash."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=cwd)
    try:
        for _ in range(300):
            if subprocess.run(["curl", "-skfI", "-o", "/dev/null", "--max-time", "590", url]).returncode in (
                0,
                22,
                52,
                56,
            ):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def whole(url: str) -> int:
    curl(url)
    return NBYTES


def half(url: str) -> int:
    curl("-r", f"{NBYTES // 4}-{NBYTES // 4 + NBYTES // 2 - 1}", url)
    return NBYTES // 2


def eight(url: str) -> int:
    part = NBYTES // 8
    command = ("curl", "-skf", "-o", "/dev/null")
    running = [
        subprocess.Popen([*command, "-r", f"{n * part}-{n * part + part - 1}", url], stdout=subprocess.DEVNULL)
        for n in range(8)
    ]
    assert all(process.wait() == 0 for process in running)
    return part * 8


def curl(*arguments: str) -> None:
    subprocess.run(["curl", "-skf", "-o", "/dev/null", *arguments], check=True)


def compare(title: str, servers: dict[str, str], take: Callable[[str], int]) -> None:
    rates: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, url in servers.items():
            start = time.perf_counter()
            nbytes = take(url)
            rates[name].append(nbytes / (time.perf_counter() - start) / 1e6)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ours = next(rate for name, rate in medians.items() if name.startswith("weigh"))
    print(title)
    for name, rate in medians.items():
        least, most = min(rates[name]), max(rates[name])
        print(f"  {name:<22} {rate:7.0f} MB/s   weigh is {ours / rate:5.2f} x   ({least:.0f}-{most:.0f})")


if __name__ == "__main__":
    main()
