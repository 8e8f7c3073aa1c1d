"""Bugs in what must outlive a power cut: caught by power, damage and kill."""

from proofs.plants.plant import Plant

DISK = (
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
        "bounds = (self.acknowledged, PRUNED_AT_ONCE, now - KEEP)",
        "bounds = (self.last_seq, PRUNED_AT_ONCE, now - KEEP)",
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
        "the server acknowledges what it could not commit",
        "server/database/engine.py",
        "with explained(self.name), Session(self._writer",
        'with __import__("contextlib").suppress(Exception), Session(self._writer',
        "power",
        40,
    ),
)
