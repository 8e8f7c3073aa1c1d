"""What does the demo consist of? Broker, cable, server, edge and people: started in this order, ended against it."""

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint

from console.errors import CommandError
from console.terminal import say
from policy.bundle import Bundle
from policy.terms import Instant
from server.config import BrokerConfig, EdgeConfig, ServerConfig
from server.database.types import moment
from server.errors import ServerError
from server.main import Server
from server.passwords import hash_password, hash_token
from simulator.broker import Broker, BrokerError, quiet
from simulator.cable import Cable
from simulator.demo import agreed, asked, bench_page, casaco, copies, logins, month
from simulator.demo.casaco import bundle
from simulator.demo.folder import EDGE, EDGES, WORKSHOP, Folder
from simulator.demo.mailbox import Letters, Mailbox
from simulator.demo.members_file import NAME, members_file
from simulator.demo.printer import MACHINE as PRINTER
from simulator.demo.printer import DemoPrinter
from simulator.demo.world import World
from simulator.edge_process import EdgeProcess
from simulator.loopback import HOST
from simulator.pace import Pace
from simulator.remote import Event

SAVE_EVERY = 1.0
"""Seconds between two notes of how far time has come."""


class DemoSite:
    """The parts, in the order in which they start and against the order in which they end."""

    def __init__(self, folder: Folder, port: int) -> None:
        self.folder = folder
        self.port = port
        self.site = bundle(folder.state.start, folder.state.seed)
        self.pace = Pace.starting(folder.state.now, speed=0)
        self.parts = ExitStack()
        self._unsaved = False
        self._pressed = folder.lived

    def run(self, ended: threading.Event) -> int:
        """Start, print where the page is, and go on until the end is asked for. Raises CommandError."""
        with self.parts:
            broker = self._broker()
            cable = self._cable(broker)
            letters = Letters(self.pace.now)
            mailbox = self._mailbox(letters)
            printer = self._printer()
            people = agreed.story(self.site, self.folder.state.start)
            again = not self.folder.fresh
            world = World(people, self.folder.state.seed, self.pace, cable, {PRINTER: printer}, again=again)
            server = self._server(mailbox, broker, bench_page.blueprint(world, letters))
            edges = self._edges(broker, cable, world, printer)
            self._copy(server.config)
            self._let_time_pass(self.folder.state.speed)
            (self.folder.path / NAME).write_bytes(members_file(self.site, self.folder.state.start))
            welcome(self.folder, server.address, self.site, self.pace.now())
            return self._keep_going(world, server, edges, ended)

    def _broker(self) -> Broker:
        say("Starting the broker ...")
        quiet()
        broker = Broker({user: self.folder.password(user) for user in ("server", *EDGES)})
        try:
            broker.start()
        except BrokerError as error:
            raise CommandError(str(error)) from None
        self.parts.callback(broker.stop)
        return broker

    def _cable(self, broker: Broker) -> Cable:
        cable = Cable(broker.port)
        self.parts.callback(cable.unplug)
        return cable

    def _mailbox(self, letters: Letters) -> Mailbox:
        mailbox = Mailbox(letters)
        mailbox.start()
        self.parts.callback(mailbox.stop)
        return mailbox

    def _server(self, mailbox: Mailbox, broker: Broker, bench: Blueprint) -> Server:
        fresh = self.folder.fresh
        say(f"Starting the server with {len(self.site.members)} members ..." if fresh else "Starting the server ...")
        config = server_config(self.folder, broker.port, self.port, mailbox)
        try:
            if fresh:
                self._weeks_before(config)
            server = Server(config, self.pace.now, self._site_time, extra_blueprints=(bench,))
        except ServerError as error:
            raise CommandError(str(error)) from None
        self.parts.callback(server.stop)
        with server.database.transaction() as session:
            wanted = logins.everybodys(self.site, self.folder.state.start)
            logins.make(session, wanted, server.config.staff_password_hash)
            if fresh:
                logins.choose_channels(session, wanted, self.pace.now())
                asked.make(session, self.site, self.folder.state.start, self.pace.now())
                asked.trainings(session, self.site, self.folder.state.start, self.pace.now())
        server.start()
        return server

    def _site_time(self, at: datetime) -> datetime:
        """What the demo's clock showed at an instant of the real one."""
        return moment(self.pace.at((datetime.now(UTC) - at).total_seconds()))

    def _weeks_before(self, config: ServerConfig) -> None:
        front, state = config.edges[0], self.folder.state
        door = front.id, front.public_key
        month.make(
            config.database,
            self.site,
            state.seed,
            state.start,
            door,
            config.credential_key,
            config.retention_days,
            state.now,
            config.staff_password_hash,
        )

    def _printer(self) -> DemoPrinter:
        printer = DemoPrinter(self.pace.now)
        self.parts.callback(printer.close)
        return printer

    def _edges(self, broker: Broker, cable: Cable, world: World, printer: DemoPrinter) -> tuple[EdgeProcess, ...]:
        """The door's hangs on the cable that the bench can cut, the machines' on the broker itself."""
        say("Starting the door's edge, the machines' and the people ...")
        door = self._edge(self.folder.write_edge_toml(EDGE, cable.port), "edge.log", world.hear_door)
        machines = self.folder.write_edge_toml(WORKSHOP, broker.port)
        self.folder.write_printer(machines, PRINTER, printer.kind, printer.address)
        workshop = self._edge(machines, f"{WORKSHOP}.log", world.hear_workshop)
        self.parts.callback(lambda: self._save(running=False))
        self.parts.callback(world.stop)
        world.start(door, workshop)
        return door, workshop

    def _edge(self, config: Path, log: str, hear: Callable[[Event], object]) -> EdgeProcess:
        return EdgeProcess(config, self.folder.path / log, hear)

    def _keep_going(self, world: World, server: Server, edges: tuple[EdgeProcess, ...], ended: threading.Event) -> int:
        """Note how far time has come, let gardiens agree, and make copies, until the end. 1 when a part broke down."""
        while not ended.wait(SAVE_EVERY):
            self._agree(server)
            self._save(running=True)
            self._copy(server.config)
            if world.broken_down:
                say("The invented people have stopped by a fault: see what is printed above, then start again.")
                return 1
            if world.picture().powered and any(edge.broken_down for edge in edges):
                say(f"An edge has ended by itself: see {self.folder.path / '*.log'}, then start again.")
                return 1
        say("\nEnding ...")
        return 0

    def _agree(self, server: Server) -> None:
        """What the gardiens have pressed since the last look. Where somebody else was faster the page says no."""
        since, self._pressed = self._pressed, self.pace.now()
        for one in agreed.presses(self.site, self.folder.state.start):
            if since < one.at <= self._pressed:
                agreed.press(server.app, server.database, one)

    def _let_time_pass(self, speed: int) -> None:
        """Noted before it does: a demo that is killed at once has lived, too."""
        self.folder.save(self.pace.now(), speed, running=True)
        self.pace.change(speed)

    def _copy(self, config: ServerConfig) -> None:
        copies.make_due(config, self.folder.keys, lambda: moment(self.pace.now()))

    def _save(self, *, running: bool) -> None:
        """A disk that is full ends no demo: the door goes on deciding. It is said once."""
        try:
            self.folder.save(self.pace.now(), self.pace.speed, running=running)
        except OSError as error:
            if not self._unsaved:
                say(f"{self.folder.path} cannot be written ({error.strerror or error}): make room. The demo goes on.")
            self._unsaved = True
        else:
            self._unsaved = False


def server_config(folder: Folder, broker_port: int, port: int, mailbox: Mailbox) -> ServerConfig:
    """What the server is told; its secrets are those of the folder.

    The hash is the same at each start: another one would be taken over anew, and log everybody out.
    """
    return ServerConfig(
        database=f"sqlite:///{folder.path.resolve() / 'server.db'}",
        server_key=folder.keys.server_key,
        credential_key=folder.keys.credential_key,
        broker=BrokerConfig(HOST, broker_port, "server", folder.password("server")),
        edges=(
            EdgeConfig(EDGE, folder.keys.public_hex(EDGE), ("front",)),
            EdgeConfig(
                WORKSHOP, folder.keys.public_hex(WORKSHOP), (casaco.GARAGE.id, *(one.id for one in casaco.MACHINES))
            ),
        ),
        staff_name=folder.login.name,
        staff_password_hash=hash_password(folder.login.password, salt=folder.login.token.encode()),
        api_token_hash=hash_token(folder.login.token),
        http_host=HOST,
        http_port=port,
        address=f"http://localhost:{port}",
        smtp=mailbox.smtp,
        ntfy=mailbox.ntfy,
        webhook=mailbox.webhook,
        backup=copies.told(folder.path.resolve(), folder.keys),
    )


def welcome(folder: Folder, address: str, site: Bundle, now: Instant) -> None:
    """Where to look and how to get in."""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(site.site.timezone))
    control = folder.path / "server.db.control"
    others = "\n".join(
        f"             {one.login:<11}{one.name}: {one.what}" for one in logins.logins(site, folder.state.start)
    )
    say(f"""
  Page       {address}
  Bench      {address}/bench
  Mailbox    {address}/bench/mailbox: what the server has sent to the invented people
  Login      {folder.login.name}
  Password   {folder.login.password}
  Others     with the same password:
{others}
  Import     {folder.path / NAME}: a file of members to try, on Membres
  API token  {folder.login.token}
  Orders     {sys.argv[0]} server open front --socket {control} (or lockdown on, lockdown off, sound front-in)
             at 1 x, 10 x or in a pause: at 60 x their ten seconds are over in a sixth of one, often too soon

It is {local:%A %d %B %Y, %H:%M} at {site.site.name}; the bar at the foot of each page changes how fast time passes.
Everything is kept in {folder.path}. Ctrl-C ends the demo, the next start goes on from there.
""")
