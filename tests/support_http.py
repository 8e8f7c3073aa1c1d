"""A server within the test's own process that takes messages over HTTP, and answers as it is told; real sockets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

JSON, HTML = "application/json", "text/html"


@dataclass
class Double:
    """answers: status, type and body of each request in turn, the last one for all that follow. status 0: it hangs up
    without a word. location: where each sends one on to. taken: method, path, headers, what the body said."""

    answers: list[tuple[int, str, str]]
    url: str = ""
    location: str = ""
    taken: list[tuple[str, str, dict[str, str], dict[str, Any]]] = field(default_factory=list)


@contextmanager
def http_double(*answers: tuple[int, str, str]) -> Iterator[Double]:
    double = Double(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            double.taken.append((self.command, self.path, dict(self.headers), json.loads(body)))
            status, kind, said = double.answers.pop(0) if len(double.answers) > 1 else double.answers[0]
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if double.location:
                self.send_header("Location", double.location)
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        do_POST = do_PUT = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Not to stderr."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
