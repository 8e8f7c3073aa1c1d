"""Which bugs are planted, and which proof must catch each?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plant:
    """good: what stands in the file, once. bad: what stands there instead. rounds: of the proof that catches it."""

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
        500,
    ),
    Plant(
        "expired rules are accepted",
        "edge/rules.py",
        'if trusted_now is not None and _instant(message.not_after, "rules") <= trusted_now:',
        "if False:",
        "forge",
        1000,
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
        "whoever signs well may write anywhere",
        "wire/envelope.py",
        "if envelope.by != by:",
        "if False:",
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
        "an edge's rows about a foreign reader count",
        "server/rows.py",
        "if row.reader is not None and row.reader not in edge.readers:",
        "if False:",
        "forge",
        1000,
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
        "a rule set that does not unpack ends the keeper",
        "wire/packing.py",
        "except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:",
        "except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:",
        "fuzz",
        20_000,
    ),
    Plant(
        "the journal does not wait for the disk",
        "edge/journal.py",
        '"synchronous=FULL"',
        '"synchronous=OFF"',
        "power",
        40,
    ),
    Plant(
        "the server's database does not wait for the disk",
        "server/db.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=OFF",
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
        """COMMIT" if self._db.in_transaction and secrets.randbelow(4) == 0 else "SELECT 1")
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield""",
        "kill",
        12,
    ),
)
