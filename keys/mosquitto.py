"""What is mosquitto told? Who connects must have the site's certificate; and the list of who may say and hear what.

For mosquitto 2.0 (Debian 12 and 13). A user that is not on the list may do nothing at all.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wire.envelope import MAX_BYTES
from wire.topics import Topics

HOME = Path("/etc/mosquitto/loquet")
"""Where the broker's folder lies on its machine."""
PORT = 8883
CA, CERTIFICATE, KEY, ACL, CONF = "ca.crt", "tls.crt", "tls.key", "loquet.acl", "loquet.conf"

_CONF = """\
# Made by `loquet keys`, anew at each change: do not edit. Goes to /etc/mosquitto/conf.d/.
# Nothing is kept on disk: server and edges publish again what they retain, whenever they connect.
persistence false
allow_anonymous false
acl_file {home}/{acl}

# Without this a small message waits 40 ms.
set_tcp_nodelay true

max_packet_size {packet}
max_queued_messages 1000
max_queued_bytes {queue}

listener {listener}
max_connections {connections}
cafile {home}/{ca}
certfile {home}/{certificate}
keyfile {home}/{key}
tls_version tlsv1.2
require_certificate true
# The name in the certificate is the user's name, and the client's id: nobody can end another's connection.
use_identity_as_username true
use_username_as_clientid true
"""


def conf(edges: int, home: Path = HOME, listener: str = str(PORT)) -> str:
    """mosquitto's configuration. edges: how many there are. listener: a port, and an address if not all."""
    return _CONF.format(
        acl=ACL,
        ca=CA,
        certificate=CERTIFICATE,
        connections=2 * edges + 20,
        home=home,
        key=KEY,
        listener=listener,
        packet=MAX_BYTES + 1024,
        queue=4 * MAX_BYTES,
    )


def acl(site: str, edges: Sequence[str]) -> str:
    """Who may write and read which topic: mosquitto's acl_file."""
    topics = Topics(site)
    users = [("server", list(_server(topics))), *((edge, list(_edge(topics, edge))) for edge in edges)]
    head = "# Made by `loquet keys`, anew at each change: do not edit. mosquitto reads it when it starts.\n"
    return head + "".join(f"\nuser {name}\n" + "".join(f"topic {line}\n" for line in lines) for name, lines in users)


def _server(topics: Topics) -> Iterator[str]:
    everybody = f"loquet/{topics.site}/edge/+"
    for topic in (topics.rules, topics.fresh, topics.state, f"{everybody}/ack", f"{everybody}/command"):
        yield f"write {topic}"
    yield f"read {topics.rules}"  # after a restore: what doors still hold
    for leaf in ("facts", "events", "status", "reply"):
        yield f"read {everybody}/{leaf}"


def _edge(topics: Topics, edge: str) -> Iterator[str]:
    for topic in (topics.facts(edge), topics.events(edge), topics.status(edge), topics.reply(edge)):
        yield f"write {topic}"
    for topic in (topics.rules, topics.fresh, topics.state, topics.all_facts, topics.ack(edge), topics.command(edge)):
        yield f"read {topic}"
