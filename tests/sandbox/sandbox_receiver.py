"""A receiver of webhooks over real HTTP on loopback that responds as a test orders."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from patience import scaled
from sandbox_platform import APP


@dataclass(frozen=True)
class Post:
    """One post as it arrived."""

    signature: str
    message_id: str
    raw: bytes
    body: dict[str, Any] = field(repr=False)

    @property
    def genuine(self) -> bool:
        return self.signature == hashlib.sha1(APP["client_secret"].encode() + self.raw).hexdigest()

    @property
    def event(self) -> str:
        return self.body["event"]

    @property
    def content(self) -> Any:
        """The content, decoded where it is JSON text."""
        content = self.body.get("content")
        return json.loads(content) if isinstance(content, str) else content


class SomeReceiver:
    """A receiver. ``answer`` gives the status of each post; every challenge is answered unless ``mute``."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.challenges: list[Post] = []
        self.answer: Callable[[Post], int] = lambda post: 200
        self.mute = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                post = Post(self.headers["x-douyin-signature"], self.headers["msg-id"], raw, json.loads(raw))
                status, reply = receiver._take(post)
                self.send_response(status)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _take(self, post: Post) -> tuple[int, bytes]:
        if post.event == "verify_webhook" and not self.mute:
            self.challenges.append(post)
            return 200, json.dumps(post.content).encode()
        self.posts.append(post)
        return self.answer(post), b"{}"

    def events(self) -> list[str]:
        """Names of the genuine events, as they came."""
        return [p.event for p in self.posts if p.genuine]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def wait_until(true: Callable[[], Any], patience_s: float = 15) -> None:
    deadline = time.monotonic() + scaled(patience_s)
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)
