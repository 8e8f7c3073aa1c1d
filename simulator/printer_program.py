"""The program of a printer that is not there: OctoPrint, Moonraker or PrusaLink, with the answers that they document.

What else a web server can do is here, too: answer otherwise, with a page, with nothing, too slowly, without an end.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from edge.devices.http import Address
from wire.messages import PrinterState

KEY = "F2A1C0FFEE00"
REALM, NONCE = "Printer API", "5f3a9c"
BED = {PrinterState.IDLE: 24.0, PrinterState.BUSY: 58.0}

OCTOPRINT = {
    PrinterState.IDLE: "Operational",
    PrinterState.BUSY: "Cancelling",
    PrinterState.PRINTING: "Printing",
    PrinterState.PAUSED: "Paused",
    PrinterState.UNKNOWN: "Offline after error",
}
KLIPPER = {
    PrinterState.IDLE: "complete",
    PrinterState.BUSY: "complete",
    PrinterState.PRINTING: "printing",
    PrinterState.PAUSED: "paused",
    PrinterState.UNKNOWN: "standby",
}
PRUSA = {
    PrinterState.IDLE: "FINISHED",
    PrinterState.BUSY: "BUSY",
    PrinterState.PRINTING: "PRINTING",
    PrinterState.PAUSED: "PAUSED",
    PrinterState.UNKNOWN: "ERROR",
}


class PrinterProgram:
    """Listens on the loopback from its making to `close`. state, left: what its printer does, and for how long yet.

    raw: sent in place of an answer, bytes of the socket; hangs: nothing more is sent after it until `close`.
    """

    def __init__(self, kind: str, state: PrinterState = PrinterState.IDLE, left: int | None = None) -> None:
        self.kind, self.state, self.left = kind, state, left
        self.raw: bytes | None = None
        self.hangs = False
        self.was_asked = threading.Event()
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"program": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        user = "maker" if self.kind == "prusalink" else ""
        return Address("127.0.0.1", self._server.server_port, key=KEY, user=user)

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: dict[str, list[str]]) -> dict[str, Any] | None:
        """None for what the program does not know."""
        makers = {"/api/job": _octoprint, "/printer/objects/query": _moonraker, "/api/v1/status": _prusalink}
        homes = {"octoprint": "/api/job", "moonraker": "/printer/objects/query", "prusalink": "/api/v1/status"}
        return makers[path](self, query) if homes[self.kind] == path else None


def _octoprint(program: PrinterProgram, _: dict[str, list[str]]) -> dict[str, Any]:
    file = {"name": "support.gcode", "origin": "local", "path": "support.gcode", "size": 1468987, "date": 1378847754}
    progress = {"completion": 12.5, "filepos": 337942, "printTime": 276, "printTimeLeft": program.left}
    return {"job": {"file": file, "user": "maker"}, "progress": progress, "state": OCTOPRINT[program.state]}


def _moonraker(program: PrinterProgram, query: dict[str, list[str]]) -> dict[str, Any]:
    """Only what was asked for, as Moonraker does."""
    spent = 600.0
    done = 0.0 if program.left is None else spent / (spent + program.left)
    objects: dict[str, dict[str, Any]] = {
        "webhooks": {"state": "shutdown" if program.state is PrinterState.UNKNOWN else "ready", "state_message": ""},
        "print_stats": {"state": KLIPPER[program.state], "filename": "support.gcode", "print_duration": spent},
        "virtual_sdcard": {"progress": done, "is_active": program.state is PrinterState.PRINTING},
        "idle_timeout": {"state": "Printing" if program.state is PrinterState.PRINTING else "Idle"},
        "heater_bed": {"temperature": BED.get(program.state, 60.0), "target": 0.0},
    }
    wanted = {name: fields[0].split(",") for name, fields in query.items()}
    status = {name: {field: objects[name][field] for field in fields} for name, fields in wanted.items()}
    return {"result": {"eventtime": 578243.57824499, "status": status}}


def _prusalink(program: PrinterProgram, _: dict[str, list[str]]) -> dict[str, Any]:
    heat = BED.get(program.state, 60.0)
    said: dict[str, Any] = {"printer": {"state": PRUSA[program.state], "temp_bed": heat, "temp_nozzle": heat}}
    if program.left is not None:
        said["job"] = {"id": 420, "progress": 42.0, "time_remaining": program.left, "time_printing": 526}
    return said


class _Handler(BaseHTTPRequestHandler):
    program: PrinterProgram

    def do_GET(self) -> None:
        program = self.program
        program.was_asked.set()
        if program.raw is not None:
            self.wfile.write(program.raw)
            self.wfile.flush()
            if program.hangs:
                program.ended.wait()
            return
        if not self._is_known():
            return
        url = urlsplit(self.path)
        said = program.answer(url.path, parse_qs(url.query))
        self._send(404 if said is None else 200, json.dumps(said).encode())

    def _is_known(self) -> bool:
        """Whether the right key came; else it is refused as each program does."""
        if self.program.kind == "prusalink":
            given = self.headers.get("Authorization", "")
            said = parse_keqv_list(parse_http_list(given.removeprefix("Digest "))) if given else {}
            if said.get("username") == "maker" and said.get("nonce") == NONCE and said.get("response"):
                return True
            self._send(401, b"", {"WWW-Authenticate": f'Digest realm="{REALM}", nonce="{NONCE}", stale="false"'})
            return False
        if self.headers.get("X-Api-Key") == KEY:
            return True
        self._send(403, b"")
        return False

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""
