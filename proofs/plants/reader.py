"""Bugs between the chip and a badge's number: caught by fuzz and wires."""

from proofs.plants.plant import Plant

READER = (
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
)
