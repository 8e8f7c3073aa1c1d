"""Bugs in what a whole site does in a year: caught by world, bookings, bank and restore."""

from proofs.plants.plant import Plant

SITE = (
    Plant(
        "a door kept unlocked is forgotten",
        "edge/kept_unlocked.py",
        '"its time is over": now.mono >= self.until',
        '"its time is over": False',
        "world",
        60,
    ),
    Plant(
        "a row that comes twice is stored twice",
        "server/ingest/messages.py",
        "[row for row in numbered if row.seq > on_disk]",
        "numbered",
        "world",
        60,
    ),
    Plant(
        "the loss of a link opens the door",
        "edge/core.py",
        "self.state.link_up = event.up",
        'self.state.link_up = event.up; self.drive("strike", not event.up)',
        "world",
        60,
    ),
    Plant(
        "what other edges tell is forgotten",
        "edge/knowledge.py",
        "self._apply(heard.facts)\n        rows[key] = heard",
        "rows[key] = heard",
        "world",
        60,
    ),
    Plant(
        "presence goes by the order of arrival",
        "policy/presence.py",
        "if known is None or new.at > known.at:",
        "if True:",
        "world",
        60,
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
        60,
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
        "what is kept for whoever waits is booked by somebody else",
        "server/changes/bookings.py",
        "    if any(in_the_way(one, wanted.member, wanted.start, wanted.end, buffer) for one in kept):",
        "    if any(in_the_way(one, wanted.member, wanted.start, wanted.end, buffer) for one in ()):",
        "bookings",
        3,
    ),
    Plant(
        "a slot is offered to all who wait for it",
        "server/changes/bookings.py",
        "        if row.ended is None and row.offered is None and _may_have(ground, row):",
        "        if row.ended is None and row.offered is None:",
        "bookings",
        3,
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
        "what was booked wrong is not countered",
        "server/changes/bank.py",
        "self._write(BankEntry(at=moment(at), **undone | back))",
        "self._known.live.pop(source, None)",
        "bank",
        30,
    ),
    Plant(
        "rows that come late change nothing that was settled",
        "policy/bank.py",
        "add(move)\n        self._doubt(member, move.at)",
        "add(move)",
        "bank",
        30,
    ),
    Plant(
        "a credit counts without a second name",
        "policy/bank_site.py",
        "if credit.attested is None or credit.attested in (credit.member, credit.by):\n            return False",
        "if credit.attested is None:\n            return True",
        "bank",
        60,
    ),
    Plant(
        "a copy leaves out the rows that lie in the database's log",
        "server/backups/copies.py",
        "source.backup(target)",
        "to.write_bytes(file.read_bytes())",
        "restore",
        1_000,
    ),
    Plant(
        "a badge that was lost since the copy was made is good again",
        "server/backups/restore.py",
        'row.status = status if status in ("lost", "stolen", "returned") else "lost"',
        'row.status = "active"',
        "restore",
        1_000,
    ),
    Plant(
        "a copy is made each five hours",
        "server/backups/make.py",
        "timedelta(minutes=config.minutes, seconds=-30)",
        "timedelta(hours=config.minutes, seconds=-30)",
        "restore",
        1_000,
    ),
    Plant(
        "a copy that the server did not sign comes back",
        "server/backups/archive.py",
        '_check_signed(Path(name) / "opened", file, key)',
        "pass",
        "restore",
        1_000,
    ),
)
