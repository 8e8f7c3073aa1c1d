"""How long from a new badge on a reader until the desk's page says whose it shall be? Over a real mosquitto and TLS.

The door's edge is a process of its own with all its code, down to the emulated chip; the server serves HTTP. The page
is asked as often as it asks by itself, and a badge comes at any moment between two of those. The floor is one hop there
and back through a broker of its own.
"""

import html
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from benches.disk import bench_folder
from benches.figure import Figures, figure, p99
from benches.hop import PATIENCE, hops
from keys.keyring import Keyring
from proofs.attacked import bundle
from proofs.killed import EDGE, Killed, Part
from proofs.mosquitto import Mosquitto, program
from server.config_file import load as server_config
from server.main import Server, tuned
from server.passwords import hash_password, new_password
from simulator.remote import Lay, Take

ENROLMENTS = 100
READER = "front-in"
MEMBER = bundle().members[0]
PAGE = f"/members/{MEMBER.id}/enrolment"
EVERY = re.compile(r'id="enrolment"[^>]* hx-trigger="every (\d+)ms"')
"""How often the page asks again, ms, while it waits."""
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
NONCE = re.compile(r'name="nonce" value="([^"]+)"')
LOOK = 0.02
"""Seconds between two looks at a page, where its own pace does not matter."""


def figures() -> Figures:
    program()  # else nothing is measured
    with bench_folder() as folder:
        hop, seconds = measured(folder / "site", ENROLMENTS)
    yield "enrolment_p50", figure(statistics.median(seconds) * 1e3, "ms", hop * 1e3)
    yield "enrolment_p99", figure(p99(seconds) * 1e3, "ms", hop * 1e3)


def measured(folder: Path, count: int) -> tuple[float, list[float]]:
    """Seconds of a hop, and of so many enrolments in rising order."""
    site = Killed(folder, lambda event: None)
    keyring = Keyring.open(folder / "keys")
    with Mosquitto(keyring) as broker:
        hop = statistics.median(hops(keyring, broker.port, EDGE, (b"%d" % n for n in range(200))))
    with ExitStack() as parts:
        for part in Part:
            parts.callback(site.kill, part)
        site.start(Part.BROKER)
        password = new_password()
        config = replace(server_config(folder / "server.toml"), staff_password_hash=hash_password(password))
        server = Server(config, bundle=bundle())
        parts.callback(server.stop)
        server.start()
        site.start(Part.EDGE)
        desk = Desk(server.address)
        desk.press("/login", "/login", name=config.staff_name, password=password)
        parts.enter_context(tuned())
        return hop, sorted(_enrolments(site, desk, count))


def _enrolments(site: Killed, desk: "Desk", count: int) -> Iterator[float]:
    draw = random.Random(7)
    for number in range(count):
        uid = f"04{number:06X}FADED0"
        desk.asked()
        page = desk.until(PAGE, lambda page: EVERY.search(page) is not None and 'class="count"' in page)
        every = int(_found(EVERY, page)) / 1000
        due = time.monotonic() + every
        time.sleep(draw.random() * every)
        laid = time.monotonic()
        site.edge.send(Lay(READER, uid))
        page = desk.until(PAGE, lambda page, uid=uid: uid[-4:] in page, due, every)  # type: ignore[misc]
        seconds = time.monotonic() - laid
        if re.search(rf"{MEMBER.name}\s*:", page) is None:
            raise AssertionError(f"the page has the badge and does not say that it is for {MEMBER.name}")
        site.edge.send(Take(READER, uid))
        member = desk.post(f"{PAGE}/confirm", csrf_token=_found(CSRF, page), nonce=_found(NONCE, page))
        if uid[-4:] not in member:
            raise AssertionError(f"the badge ···{uid[-4:]} was confirmed, and {MEMBER.name}'s page does not have it")
        yield seconds


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
        return _found(CSRF, self.get(page))

    def asked(self) -> None:
        """A reader is asked to wait for a badge, once the door's edge is there."""
        end = time.monotonic() + PATIENCE
        page = self.press(PAGE, PAGE, reader=READER)
        while EVERY.search(page) is None:
            if time.monotonic() > end:
                raise TimeoutError("no reader waits for a badge: does the edge run?")
            time.sleep(LOOK)
            page = self.press(PAGE, PAGE, reader=READER)

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


def _found(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise AssertionError(f"the page has no {pattern.pattern}")
    return found[1]
