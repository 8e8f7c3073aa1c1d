"""A whole site for a bench: over a real mosquitto and TLS, and a page at which the team is logged in.

The door's edge is a process of its own with all its code, down to the emulated chip; the server serves HTTP.
"""

import html
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from benches.hop import PATIENCE, hops
from keys.keyring import Keyring
from policy.bundle import Bundle
from proofs.killed import EDGE, Killed, Part
from proofs.mosquitto import Mosquitto
from server.config_file import load as server_config
from server.main import Server, tuned
from server.passwords import hash_password, new_password
from simulator.remote import Event

CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
LOOK = 0.02
"""Seconds between two looks at a page, where its own pace does not matter."""


class Desk:
    """Whoever is logged in at a server, over HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        return self._answer(path, None)

    def post(self, path: str, **data: str) -> str:
        """The page to which the answer leads."""
        return self._answer(path, urlencode(data).encode())

    def press(self, page: str, path: str, **data: str) -> str:
        """Send a form of a page."""
        return self.post(path, csrf_token=self.form(page), **data)

    def form(self, page: str) -> str:
        """What a form of the page is to carry."""
        return found(CSRF, self.get(page))

    def until(self, path: str, shown: Callable[[str], bool], due: float = 0.0, every: float = LOOK) -> str:
        """The page once it is as expected, asked first at `due` (monotonic seconds) and then every so many seconds."""
        end = time.monotonic() + PATIENCE
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            due += every
            page = self.get(path)
            if shown(page):
                return page
            if time.monotonic() > end:
                raise TimeoutError(f"{path}: not as expected")

    def _answer(self, path: str, data: bytes | None) -> str:
        with self._opener.open(self._address + path, data, PATIENCE) as answer:
            return html.unescape(answer.read().decode())


@contextmanager
def whole_site(
    folder: Path, known: Bundle, hear: Callable[[Event], object] = lambda _: None
) -> Iterator[tuple[Killed, Desk, float]]:
    """The site, whoever is logged in there, and the seconds of one hop there and back through a broker of its own.

    hear: what the edge's emulated hardware tells.
    """
    site = Killed(folder, hear)
    keyring = Keyring.open(folder / "keys")
    with Mosquitto(keyring) as broker:
        hop = statistics.median(hops(keyring, broker.port, EDGE, (b"%d" % n for n in range(200))))
    with ExitStack() as parts:
        for part in Part:
            parts.callback(site.kill, part)
        site.start(Part.BROKER)
        password = new_password()
        config = replace(server_config(folder / "server.toml"), staff_password_hash=hash_password(password))
        server = Server(config, bundle=known)
        parts.callback(server.stop)
        server.start()
        site.start(Part.EDGE)
        desk = Desk(server.address)
        desk.press("/login", "/login", name=config.staff_name, password=password)
        parts.enter_context(tuned())
        yield site, desk, hop


def found(pattern: re.Pattern[str], page: str) -> str:
    """What it finds first on the page. Raises AssertionError where there is none."""
    first = pattern.search(page)
    if first is None:
        raise AssertionError(f"the page has no {pattern.pattern}")
    return first[1]
