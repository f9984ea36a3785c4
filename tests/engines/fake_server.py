"""A command that stands for llama-server, vLLM, SGLang and Ollama: it speaks their API and does what the prompt says."""

from __future__ import annotations

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

STARTED = time.monotonic()
KEY = os.environ.get("LLAMA_API_KEY") or os.environ.get("VLLM_API_KEY")


class Handler(BaseHTTPRequestHandler):
    """Answers health, chats, completions, embeddings and ranks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Not ready at first."""
        self._tell(200 if time.monotonic() - STARTED > 0.3 else 503, {"status": "ok"})

    def do_POST(self) -> None:
        """By the route, and by the last words."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if KEY is not None and self.headers["Authorization"] != f"Bearer {KEY}":
            return self._tell(401, {"error": {"message": "no key", "type": "authentication_error"}})
        if self.path == "/v1/embeddings":
            rows = [{"index": n, "embedding": [float(n), 1.0]} for n in range(len(body["input"]))]
            return self._tell(200, {"data": rows[::-1], "usage": {"prompt_tokens": 7}})
        if self.path == "/v1/rerank":
            rows = [{"index": n, "relevance_score": float(len(text))} for n, text in enumerate(body["documents"])]
            return self._tell(200, {"results": rows[::-1], "usage": {"total_tokens": 9}})
        prompt = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        getattr(self, f"_{prompt.split()[0]}", self._say)(prompt, body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""

    def _say(self, prompt: str, body: dict[str, Any]) -> None:
        self._begin()
        for word in (body["model"], " says ", prompt):
            self._chunk(word, body)
        self._end("stop", body)

    def _die(self, prompt: str, body: dict[str, Any]) -> None:
        self._begin()
        self._chunk("half", body)
        os.write(2, b"assertion failed: it is dead\n")
        os._exit(3)

    def _cut(self, prompt: str, body: dict[str, Any]) -> None:
        self._begin()
        self._chunk("half", body)
        self._send(b"data: [DONE]\n\n")
        self._send(b"")

    def _slow(self, prompt: str, body: dict[str, Any]) -> None:
        self._begin()
        for _ in range(600):
            self._chunk(".", body)
            time.sleep(0.1)
        self._end("stop", body)

    def _busy(self, prompt: str, body: dict[str, Any]) -> None:
        self._tell(429, {"error": {"message": "too many requests", "type": "rate_limit"}})

    def _garbage(self, prompt: str, body: dict[str, Any]) -> None:
        self._begin()
        self._send(b"data: <html>\n\n")
        self._send(b"")

    def _overflow(self, prompt: str, body: dict[str, Any]) -> None:
        message = "This model's maximum context length is 64 tokens"
        self._tell(400, {"error": {"message": message, "type": "BadRequestError"}})

    def _page(self, prompt: str, body: dict[str, Any]) -> None:
        data = b"<html>bad gateway</html>"
        self.send_response(502)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, text: str, body: dict[str, Any]) -> None:
        said = {"delta": {"content": text}} if "messages" in body else {"text": text}
        self._send(f"data: {json.dumps({'choices': [said]})}\n\n".encode())

    def _end(self, reason: str, body: dict[str, Any]) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 3}
        self._send(f"data: {json.dumps({'choices': [{'finish_reason': reason}], 'usage': usage})}\n\n".encode())
        self._send(b"data: [DONE]\n\n")
        self._send(b"")

    def _send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _tell(self, status: int, said: object) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Writes down how it was called, and listens where it was told to."""
    called = Path(os.environ["FAKE_CALLS"])
    with called.open("a") as file:
        file.write(json.dumps({"argv": sys.argv[1:], "pid": os.getpid()}) + "\n")
    if "create" in sys.argv:
        assert Path(sys.argv[-1]).read_text().startswith("FROM ")
        return
    if os.environ.get("FAKE_BAD"):
        sys.exit("error: this is no model")
    port = sys.argv[sys.argv.index("--port") + 1] if "--port" in sys.argv else os.environ["OLLAMA_HOST"].split(":")[1]
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
