"""What `weigh serve` adds to an engine: requests, tokens a second, first token and memory, alternated in one run."""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tools.tiny import drivel

REQUESTS, TURNS, ROUNDS, TOKENS = 700, 5, 15, 24  # requests a turn; rounds of a model
SMALL_ROUNDS = 30  # where the engine takes next to nothing, what is added is seen alone
BARE = """
import json, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def chat(request):
    asked = await request.json()
    message = {"role": "assistant", "content": asked["messages"][-1]["content"]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return JSONResponse({"id": "x", "object": "chat.completion", "model": "echo", "choices": [choice], "usage": usage})

app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])
import socket
listener = socket.socket(proto=socket.IPPROTO_TCP); listener.bind(("127.0.0.1", 0))
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listener])
"""


class Took(NamedTuple):
    """Of one answer: seconds to the first token and to the last, and the tokens."""

    first: float
    last: float
    tokens: int


def main() -> None:
    """Every figure, and its target."""
    with process("-c", BARE) as bare, serve("echo:") as ours:
        memory = resident(ours.pid)
        print(f"Memory of an idle server: {memory:.0f} MiB (wanted: under 100)")
        compare_requests(bare, ours)
    with tempfile.TemporaryDirectory() as folder:
        for shape, rounds in ((drivel.SMALL, SMALL_ROUNDS), (drivel.LARGE, ROUNDS)):
            path = Path(folder) / f"drivel-{shape.layers}.gguf"
            number = drivel.write(path, shape)
            print(f"A model of {number / 1e6:.1f} M parameters, {TOKENS} tokens an answer, medians of {rounds}")
            if shape is drivel.LARGE:
                print("wanted: at most 5 % fewer tokens a second; 3 ms more to the first at one client, 10 ms at eight")
            for clients in (1, 8):
                compare_tokens(path, clients, rounds)


class Server(NamedTuple):
    """A process that listens."""

    port: int
    pid: int


@contextmanager
def process(*arguments: str) -> Iterator[Server]:
    """Python with these arguments, once it listens."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            yield Server(int(line.rpartition(":")[2]), server.pid)
        finally:
            server.terminate()


def serve(*arguments: str) -> Any:
    """`weigh serve`, its log thrown away as a quiet one is."""
    code = "import sys; sys.stderr = open('/dev/null', 'w'); from weigh.cli.main import main; main()"
    return process("-c", code, "serve", *arguments, "--port", "0")


def resident(pid: int) -> float:
    """MiB in memory."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def processor_time(pid: int) -> float:
    """Seconds of the process alone, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare_requests(bare: Server, ours: Server) -> None:
    """Requests a second at one client and at eight, by turns."""
    for clients in (1, 8):
        rates: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(TURNS):
            for name, server in (("bare", bare), ("ours", ours)):
                rates[name].append(asyncio.run(rate(server.port, clients)))
        middle = {name: statistics.median(found) for name, found in rates.items()}
        ratio = middle["bare"] / middle["ours"]
        print(
            f"echo, {clients} at once: bare Starlette {middle['bare']:.0f}/s, weigh {middle['ours']:.0f}/s,"
            f" {ratio:.2f} x (wanted: at most 1.5)"
        )


async def rate(port: int, clients: int) -> float:
    """Requests a second over connections that are kept."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "hello"}]}).encode()
    text = asked(body)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(REQUESTS // clients):
            writer.write(text)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        writer.close()

    await one()
    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return REQUESTS // clients * clients / (time.perf_counter() - started)


def asked(body: bytes) -> bytes:
    """A request on a connection that is kept."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def compare_tokens(path: Path, clients: int, rounds: int) -> None:
    """The engine called in this process and by its own HTTP, against the server, by turns; all hold the model."""
    engine, other = bare_engine(path, clients), bare_engine(path, clients)  # neither has read the other's prompts
    with serve(str(path), "--context", "1024", "--parallel", str(clients)) as ours:
        ways: dict[str, Callable[[str], Took]] = {
            "called": functools.partial(through_engine, engine),
            "its own HTTP": functools.partial(through_server, int(other.listening_address.rpartition(":")[2])),
            "weigh": functools.partial(through_server, ours.port),
        }
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        busy = 0.0
        for number in range(rounds + 1):
            busy = busy if number > 1 else processor_time(ours.pid)  # from after the round that warms up
            for name, way in ways.items():
                found = at_once(way, clients, f"{number}")
                if number:
                    rows[name].append(found)
        busy = (processor_time(ours.pid) - busy) / (rounds * clients * TOKENS)
    tell(rows, clients)
    print(f"  the server itself: {busy * 1000:.2f} ms of processor a token")


def tell(rows: dict[str, list[tuple[float, float]]], clients: int) -> None:
    """Medians of each way, and what weigh adds to each of the others."""
    first = {name: statistics.median(row[0] * 1000 for row in found) for name, found in rows.items()}
    speed = {name: statistics.median(row[1] for row in found) for name, found in rows.items()}
    print(f"{clients} at once: weigh {speed['weigh']:.1f} tokens/s, first token {first['weigh']:.1f} ms")
    for name in ("called", "its own HTTP"):
        less = 100 - 100 * speed["weigh"] / speed[name]
        print(
            f"  the bare engine, {name}: {speed[name]:.1f} tokens/s, weigh {less:+.1f} % fewer;"
            f" first token {first[name]:.1f} ms, weigh {first['weigh'] - first[name]:+.1f} ms"
        )


def at_once(way: Callable[[str], Took], clients: int, salt: str) -> tuple[float, float]:
    """Median of the first tokens in seconds, and all tokens a second."""
    took: list[Took] = []
    threads = [
        threading.Thread(target=lambda number=number: took.append(way(f"weigh {salt} {number}")))
        for number in range(clients)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    return statistics.median(one.first for one in took), sum(one.tokens for one in took) / seconds


def chat(text: str) -> dict[str, Any]:
    """What is asked of both."""
    message = {"role": "user", "content": text}
    return {"messages": [message], "max_tokens": TOKENS, "temperature": 0, "stream": True}


def bare_engine(path: Path, clients: int) -> Any:
    """xllamacpp as its own documentation uses it, with the same settings."""
    library = importlib.import_module("xllamacpp")
    given = library.CommonParams()
    given.model.path = str(path)
    given.warmup, given.verbosity, given.kv_unified, given.fit_params = False, 1, False, False
    given.use_jinja, given.ctx_shift = True, False
    given.n_parallel, given.n_ctx = clients, 1024 * clients
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = os.cpu_count()
    return library.Server(given)


def through_engine(engine: Any, text: str) -> Took:
    """By its own callback."""
    times: list[float] = []
    started = time.perf_counter()

    def tell(chunk: Any) -> bool:
        said = json.loads(chunk) if isinstance(chunk, str) else chunk
        choices = said.get("choices") if isinstance(said, dict) else None
        if choices and choices[0]["delta"].get("content"):
            times.append(time.perf_counter() - started)
        return False

    engine.handle_chat_completions(chat(text), tell)
    return Took(times[0], times[-1], len(times))


def through_server(port: int, text: str) -> Took:
    """By HTTP, as a stream."""
    times: list[float] = []
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answer:
        connection.sendall(asked(json.dumps(chat(text)).encode()))
        while not (line := answer.readline()).startswith(b"data: [DONE]"):
            choices = json.loads(line[6:])["choices"] if line.startswith(b"data: ") else ()
            if choices and choices[0]["delta"].get("content"):
                times.append(time.perf_counter() - started)
    return Took(times[0], times[-1], len(times))


if __name__ == "__main__":
    main()
