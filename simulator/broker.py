"""The demo's MQTT broker: amqtt in a thread of this process, on loopback only, with a password for everybody."""

import asyncio
import hmac
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from amqtt.broker import Broker as Amqtt
from amqtt.contexts import ListenerConfig
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from simulator.loopback import HOST, free_port

PATIENCE = 5.0
"""Seconds for a start or a stop."""
REFUSED = "refused"
"""The name under which amqtt files whom it turns away, in place of the one that was claimed."""


class BrokerError(Exception):
    """The broker cannot start. The message says why and what would help."""


class PasswordPlugin(BaseAuthPlugin):  # type: ignore[misc]
    """Lets in who has one of the passwords; nobody is anonymous."""

    @dataclass
    class Config:
        """users: password by user name."""

        users: dict[str, str] = field(default_factory=dict, repr=False)

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the name is known and the password is its own."""
        known = self.config.users.get(session.username or "")
        return known is not None and hmac.compare_digest(known.encode(), (session.password or "").encode())


class _OneOfEachName(Amqtt):  # type: ignore[misc]
    """Ends the older of two connections under one name (MQTT 3.1.1, 3.1.4-2), as mosquitto does.

    amqtt leaves the older one open and forgets what it subscribed to, and that before it has asked for the password.
    """

    async def _delete_session(self, client_id: str) -> None:
        """Not before the newcomer is known."""

    async def _authenticate(self, session: Session, listener: ListenerConfig) -> bool:
        known = bool(await super()._authenticate(session, listener))
        if known:
            await self._cleanup_session(session.client_id)
        else:
            session.client_id = REFUSED
        return known


class Broker:
    """Runs from `start` to `stop`. Keeps nothing on disk: server and edges publish again what they retain."""

    def __init__(self, users: Mapping[str, str], port: int = 0) -> None:
        """port: 0 for any free one, known after `start`."""
        self.port = port or free_port()
        self._users = dict(users)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._started: Future[None] = Future()
        self._end = asyncio.Event()

    def start(self) -> None:
        """Listen. Raises BrokerError when the port is in use."""
        self._thread.start()
        self._started.result(PATIENCE)

    def stop(self) -> None:
        """Hang up on everybody and stop listening. Does nothing when it does not run."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(2 * PATIENCE)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            broker = _OneOfEachName(self._config(), loop=self._loop)
            await broker.start()
        except Exception as error:
            why = (
                f"127.0.0.1:{self.port}: the broker cannot listen ({error}): end what uses the port, or choose another"
            )
            self._started.set_exception(BrokerError(why))
            return
        self._started.set_result(None)
        await self._end.wait()
        with suppress(TimeoutError):  # a client that does not let go; the process ends anyway
            await asyncio.wait_for(broker.shutdown(), PATIENCE)

    def _config(self) -> dict[str, object]:
        return {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{self.port}"}},
            "plugins": {f"{__name__}.{PasswordPlugin.__name__}": {"users": self._users}},
        }


def quiet() -> None:
    """amqtt and its helpers log every packet and every lost client: only what is wrong is of interest here."""
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
