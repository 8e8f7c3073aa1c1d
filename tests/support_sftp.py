"""A machine within the test's own process that takes files by sftp, from whoever has the one key."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh


@dataclass(frozen=True)
class SftpServer:
    """root: what callers see as /. key, known_hosts: files for whoever is to be let in."""

    port: int
    root: Path
    key: Path
    known_hosts: Path

    @property
    def address(self) -> str:
        return f"sftp://loquet@127.0.0.1:{self.port}/copies"


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    root, key, known = folder / "nas", folder / "backup_ssh", folder / "known_hosts"
    (root / "copies").mkdir(parents=True)
    client.write_private_key(str(key))
    key.chmod(0o600)
    (folder / "authorized").write_bytes(client.export_public_key())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host],
            authorized_client_keys=str(folder / "authorized"),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root).encode()),
        )

    async def end(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()

    try:
        acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
        port = acceptor.get_port()
        known.write_text(f"[127.0.0.1]:{port} {host.export_public_key().decode()}")
        yield SftpServer(port, root, key, known)
        asyncio.run_coroutine_threadsafe(end(acceptor), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
