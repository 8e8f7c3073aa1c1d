"""Which bugs are planted, and which proof must catch each?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plant:
    """good: what stands in the file, once. bad: what stands there instead.

    rounds: of the proof that catches it, which ends with the first that is broken; where real time plays a part, many
    more than that takes.
    """

    bug: str
    file: str
    good: str
    bad: str
    proof: str
    rounds: int


PLANTS = (
    Plant(
        "rules of a lower version are accepted",
        "edge/rules.py",
        "if held is not None and message.version <= held.version:",
        "if held is None and message.version <= 0:",
        "forge",
        1500,
    ),
    Plant(
        "expired rules are accepted",
        "edge/rules.py",
        'if trusted_now is not None and _instant(message.not_after, "rules") <= trusted_now:',
        "if False:",
        "forge",
        1500,
    ),
    Plant(
        "the signature does not cover the topic",
        "wire/envelope.py",
        'return b"loquet/1\\n" + by.encode() + b"\\n" + topic.encode() + b"\\n" + body',
        'return b"loquet/1\\n" + by.encode() + b"\\n" + body',
        "forge",
        500,
    ),
    Plant(
        "a signature has many forms",
        "wire/envelope.py",
        "if b64encode(signature).decode() != envelope.sig:",
        "if False:",
        "forge",
        500,
    ),
    Plant(
        "a byte of a badge's number is dropped",
        "edge/hardware/iso14443.py",
        "return answer[:4], sak[0]",
        "return answer[: 4 - (sak[0] == 0x20)], sak[0]",
        "fuzz",
        2000,
    ),
    Plant(
        "a broken chip ends the poller",
        "edge/hardware/reader.py",
        "except ChipError:",
        "except ZeroDivisionError:",
        "fuzz",
        2000,
    ),
    Plant(
        "a setting that the chip lost goes unnoticed",
        "edge/hardware/chip.py",
        "if held != expected:",
        "if False:",
        "wires",
        80,
    ),
    Plant(
        "a rule set that does not unpack ends the storage worker",
        "wire/packing.py",
        "except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:",
        "except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:",
        "fuzz",
        20_000,
    ),
    Plant(
        "the journal does not wait for the disk",
        "edge/journal.py",
        'if not self._db.execute("SELECT 1 FROM sqlite_master")',
        'self._db.execute("PRAGMA synchronous=OFF")\n        if not self._db.execute("SELECT 1 FROM sqlite_master")',
        "power",
        40,
    ),
    Plant(
        "the server's database does not wait for the disk",
        "server/database/engine.py",
        '_hold_to(connection, journal_mode="wal", synchronous=2, secure_delete=1)',
        'connection.execute("PRAGMA synchronous=OFF")',
        "power",
        40,
    ),
    Plant(
        "rows that nobody acknowledged are pruned",
        "edge/journal.py",
        "found = self._db.execute(oldest, (self.acknowledged, PRUNED_AT_ONCE))",
        "found = self._db.execute(oldest, (self.last_seq, PRUNED_AT_ONCE))",
        "power",
        60,
    ),
    Plant(
        "the journal commits only now and then",
        "edge/journal.py",
        """BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")""",
        """COMMIT" if self._db.in_transaction and __import__("secrets").randbelow(4) == 0 else "SELECT 1")
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield""",
        "kill",
        12,
    ),
    Plant(
        "facts about a foreign place are believed",
        "edge/site_updates.py",
        "for name, reader in readers.items() if reader.edge == edge}",
        "for name, reader in readers.items()}",
        "forge",
        1500,
    ),
    Plant(
        "a command is carried out as often as it comes",
        "edge/commands.py",
        "return it.command.nonce in self._issued or it.issued <= self._forgotten",
        "return False",
        "forge",
        1500,
    ),
    Plant(
        "a door kept unlocked is forgotten",
        "edge/kept_unlocked.py",
        '"its time is over": now.mono >= self.until',
        '"its time is over": False',
        "world",
        30,
    ),
    Plant(
        "an older state is taken",
        "edge/site_updates.py",
        "if self.held is not None and message.version <= self.held.version:",
        "if False:",
        "forge",
        1500,
    ),
    Plant(
        "a row that comes twice is stored twice",
        "server/ingest/messages.py",
        "[row for row in numbered if row.seq > on_disk]",
        "numbered",
        "world",
        6,
    ),
    Plant(
        "rows behind a gap are stored",
        "server/ingest/messages.py",
        "if numbered and numbered[0].seq > on_disk + 1:",
        "if False:",
        "forge",
        1500,
    ),
    Plant(
        "the loss of a link opens the door",
        "edge/core.py",
        "self.state.link_up = event.up",
        'self.state.link_up = event.up; self.drive("strike", not event.up)',
        "world",
        3,
    ),
    Plant(
        "what other edges tell is forgotten",
        "edge/knowledge.py",
        "self._apply(heard.facts)\n        rows[key] = heard",
        "rows[key] = heard",
        "world",
        12,
    ),
    Plant(
        "presence goes by the order of arrival",
        "policy/presence.py",
        "if known is None or new.at > known.at:",
        "if True:",
        "world",
        30,
    ),
    Plant(
        "a clock's jump is ignored",
        "edge/core.py",
        "if self._begun and (not before or abs(now.at - was) > JUMP):",
        "if self._begun and not before:",
        "world",
        120,
    ),
    Plant(
        "the server does not date anew what a wrong clock wrote",
        "server/ingest/timestamps.py",
        "    if not boots:",
        "    if boots is not None:",
        "world",
        120,
    ),
    Plant(
        "the server acknowledges rows that it could not store",
        "server/exchange.py",
        "        taken = self.ingest.take_all(messages)\n",
        """        from msgspec import json
        from wire.messages import Ack
        from server.ingest.messages import Owed, Taken
        try:
            taken = self.ingest.take_all(messages)
        except Exception:
            bodies = [(topic.split("/")[3], json.decode(payload)["body"]) for topic, payload in messages]
            if not all("rows" in body for _, body in bodies):
                raise
            owed = [Owed(edge, Ack(body["journal"], body["rows"][-1]["seq"])) for edge, body in bodies]
            taken = Taken(owed, [])
""",
        "world",
        40,
    ),
    Plant(
        "the strike moves with the link",
        "edge/control_worker.py",
        "            if isinstance(event, ReaderFault | ReaderRecovered):",
        """            if type(event).__name__ == "LinkChanged" and "strike" in self._outputs:
                self._pins.set("strike", True)
            if isinstance(event, ReaderFault | ReaderRecovered):""",
        "link",
        400,
    ),
    Plant(
        "a row that was sent counts as acknowledged",
        "edge/sender.py",
        "            self._outbox.sent(last, now)",
        """            self._outbox.sent(last, now)
            self._writer.journal.acknowledge(last)""",
        "link",
        400,
    ),
    Plant(
        "another letter in a row on the disk goes unnoticed",
        "edge/checksum.py",
        "return written and kept == checksum(*parts)",
        "return written",
        "damage",
        600,
    ),
    Plant(
        "what an edge goes by lies in its journal alone",
        "edge/spare.py",
        "if content[:LENGTH] == checksum(content[LENGTH:]):",
        "if not content:",
        "damage",
        300,
    ),
    Plant(
        "rows of a journal that is set aside stay there",
        "edge/rescue.py",
        "journal.owe(saved.id, {seq: encode(row) for seq, row in lacking.items()})",
        "journal.owe(saved.id, {})",
        "damage",
        300,
    ),
    Plant(
        "a log that breaks off takes with it what was written behind",
        "edge/rescue.py",
        "rows = [row for seq, row in logged.items() if seq > journal.last_seq]",
        "rows = []",
        "damage",
        300,
    ),
    Plant(
        "a row may be as long as a message",
        "wire/row.py",
        "if len(row) > MAX_BYTES:",
        "if False:",
        "silence",
        24,
    ),
    Plant(
        "the state tells of members and kinds that the site has not",
        "server/publish/state.py",
        "facts_by_edge(session, at) if site.names(fact)]",
        "facts_by_edge(session, at)]",
        "silence",
        24,
    ),
    Plant(
        "one edge may leave any number of things in the state",
        "server/ingest/store.py",
        "facts[: max(0, room(batch.edge.id))]",
        "facts",
        "silence",
        1,
    ),
    Plant(
        "a state is published that is larger than the broker passes on",
        "server/publish/state.py",
        "while len(body := pack(found)) > self._most:",
        "while len(body := pack(found)) < 0:",
        "silence",
        24,
    ),
    Plant(
        "all facts that wait are read before anything else",
        "edge/inbound_queue.py",
        "AT_A_TIME = 1",
        "AT_A_TIME = 10_000",
        "silence",
        24,
    ),
    Plant(
        "whom a revoked edge moved stays moved",
        "server/changes/revoked.py",
        "    _forget_moves(session, edge, since)",
        "    pass",
        "silence",
        24,
    ),
    Plant(
        "an edge may begin any number of journals",
        "server/ingest/messages.py",
        "elif not on_disk and (why := self._budget",
        "elif on_disk < 0 and (why := self._budget",
        "silence",
        24,
    ),
    Plant(
        "the server acknowledges what it could not commit",
        "server/database/engine.py",
        "            explained(self.name),\n            Session(self._writer",
        '            __import__("contextlib").suppress(Exception),\n            Session(self._writer',
        "power",
        40,
    ),
    Plant(
        "a booking is stored whoever has the machine then",
        "server/changes/bookings.py",
        "    if len(gone) < len(met):",
        "    if len(gone) > len(met):",
        "bookings",
        1,
    ),
    Plant(
        "whoever is late is told of a time that is taken",
        "server/queries/bookings.py",
        "    if any(in_the_way(slot, member, start, end, terms.buffer * MINUTE) for slot in theirs):",
        "    if any(in_the_way(slot, member, start, end, terms.buffer * MINUTE) for slot in ()):",
        "bookings",
        1,
    ),
    Plant(
        "the machine's relay pulls when its edge has died",
        "edge/setup/render.py",
        'yield lines[signal.key], "dl" if signal.active_high else "dh"',
        'yield lines[signal.key], "dh" if signal.active_high else "dl"',
        "power-off",
        200,
    ),
    Plant(
        "systemd hears of the control loop while the inputs hang",
        "edge/runtime.py",
        "            self._pins.beat()\n            self._feed()",
        "            self._pins.beat()\n        self._feed()",
        "power-off",
        200,
    ),
    Plant(
        "the monostable hears of the control loop while the inputs hang",
        "edge/runtime.py",
        "            self._pins.beat()\n            self._feed()",
        "            self._feed()\n        self._pins.beat()",
        "power-off",
        200,
    ),
    Plant(
        "a clock that is set puts a session's end off",
        "edge/machine.py",
        "None if session.until is None else session.until + by",
        "None if session.until is None else session.until + by + abs(by)",
        "power-off",
        200,
    ),
    Plant(
        "a contact is believed the later, the longer it was at rest",
        "edge/hardware/lines.py",
        "            self._count = 0\n            return False",
        "            self._count -= 1\n            return False",
        "power-off",
        200,
    ),
    Plant(
        "nothing is switched off while the disk fails",
        "edge/machine.py",
        '        self._powered = False\n        self._core.drive(f"{self.place}.interlock", False)',
        "        self._powered = self._core.journal_fault is not None",
        "power-off",
        200,
    ),
)
