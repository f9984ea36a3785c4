"""One large file behind both hubs' protocols, its bytes sent by the kernel."""

from __future__ import annotations

import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

ID, NAME, COMMIT = "bench/model", "model.safetensors", "0123456789abcdef0123456789abcdef01234567"


class Handler(BaseHTTPRequestHandler):
    """`path` and `sha256` of the file are set on the class."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    path_here = ""
    sha256 = ""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        size = os.stat(self.path_here).st_size
        if "/resolve/" in path or path.endswith("/repo"):
            self.file(size)
        elif "/tree/" in path:
            lfs = {"oid": self.sha256, "size": size, "pointerSize": 134}
            self.json([{"type": "file", "oid": "1" * 40, "size": size, "path": NAME, "lfs": lfs}])
        elif path.endswith("/repo/files"):
            file = {"Path": NAME, "Name": NAME, "Type": "blob", "Size": size, "Sha256": self.sha256, "Revision": COMMIT}
            self.json({"Code": 200, "Data": {"Files": [file]}, "Message": "", "RequestId": "1", "Success": True})
        elif path.startswith(f"/api/models/{ID}"):
            self.json({"id": ID, "sha": COMMIT, "private": False, "gated": False, "siblings": [{"rfilename": NAME}]})
        else:
            self.json({"error": "no such thing"}, 404)

    do_HEAD = do_GET

    def json(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response_only(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def file(self, size: int) -> None:
        said = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        first, last = (int(said[1]), min(int(said[2] or size), size - 1)) if said else (0, size - 1)
        self.send_response_only(206 if said else 200)
        if said:
            self.send_header("content-range", f"bytes {first}-{last}/{size}")
        for name, value in (
            ("content-length", last + 1 - first),
            ("accept-ranges", "bytes"),
            ("etag", f'"{self.sha256}"'),
            ("x-repo-commit", COMMIT),
            ("x-linked-etag", self.sha256),
        ):
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.flush()
            with open(self.path_here, "rb") as file:
                while first <= last and (
                    sent := os.sendfile(self.connection.fileno(), file.fileno(), first, last + 1 - first)
                ):
                    first += sent

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def main() -> None:
    """`pull_server.py FILE SHA256 ADDRESS_FILE`: writes its address there once it listens."""
    Handler.path_here, Handler.sha256, told = sys.argv[1:4]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Path(told).write_text(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


if __name__ == "__main__":
    main()
