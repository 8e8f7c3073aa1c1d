"""Would the proofs notice? Bugs are put back one by one into a copy of the source; the proof that should must catch it.

A round is one planted bug. It needs the source tree: an installed Loquet has nothing to plant in.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from console.errors import CommandError
from proofs.plants import PLANTS, TESTED, Plant
from proofs.proof import BrokenError, Proof, Rounds, Task

ROOT = Path(__file__).parents[1]
UNITS, TESTS, PROJECT = "firmware_config", "tests", "pyproject.toml"
FAILED = 1
"""What pytest ends with when a test failed, and nothing else went wrong."""
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))


def run(task: Task) -> Rounds:
    if not (ROOT / PROJECT).exists():
        raise CommandError(f"planted: {ROOT} is no source tree: run it in a clone of Loquet")
    chosen = [number for number in task.numbers if 0 <= number < len(PLANTS)]
    if not chosen:
        raise CommandError(f"planted --first {task.first}: no bug has that number; the last is {len(PLANTS) - 1}")
    for done, number in enumerate(chosen, 1):
        plant = PLANTS[number]
        caught = catches(plant, task.seed)
        if not caught:
            raise BrokenError(number, f"{plant.bug} ({plant.file}): `{_catcher(plant)}` did not notice")
        print(f"planted: {plant.bug}: caught by {plant.proof}: {caught}", file=sys.stderr, flush=True)
        yield done
    return f"{len(chosen)} of {len(chosen)} planted bugs caught"


def catches(plant: Plant, seed: int) -> str | None:
    """What the proof says of the bug; None when it finds nothing. Raises CommandError when it cannot run."""
    with TemporaryDirectory(prefix="loquet-planted-") as folder:
        copy = Path(folder)
        _plant(plant, copy)
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-m", *_command(plant, seed)],
            cwd=copy,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    if _is_test(plant):
        return _failed(plant, ended)
    try:
        said = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise CommandError(f"planted: {plant.bug}: prove {plant.proof} broke down: {ended.stderr[-2000:]}") from None
    return str(said["figure"])[:160] if said["broken"] else None


def _catcher(plant: Plant) -> str:
    return plant.proof if _is_test(plant) else f"prove {plant.proof}"


def _is_test(plant: Plant) -> bool:
    return plant.proof.startswith(f"{TESTS}/")


def _command(plant: Plant, seed: int) -> list[str]:
    if _is_test(plant):
        return ["pytest", "-q", "-x", "-p", "no:cacheprovider", plant.proof]
    return ["loquet", "prove", plant.proof, "--rounds", str(plant.rounds), "--seed", str(seed), "--json"]


def _failed(plant: Plant, ended: subprocess.CompletedProcess[str]) -> str | None:
    """What the test says when it fails. Raises CommandError when it does not come so far."""
    said = [line for line in ended.stdout.splitlines() if line.startswith("FAILED ")]
    if ended.returncode == FAILED and said:
        return said[0].removeprefix("FAILED ")[:160]
    if ended.returncode != 0:
        raise CommandError(f"planted: {plant.bug}: {plant.proof} broke down: {(ended.stdout + ended.stderr)[-2000:]}")
    return None


def _plant(plant: Plant, copy: Path) -> None:
    """The source tree with the bug in it: one package copied, the others linked."""
    touched = Path(plant.file).parts[0]
    for package in PACKAGES:
        if package == touched:
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (copy / package).symlink_to(ROOT / package, target_is_directory=True)
    for beside in (UNITS, TESTS, PROJECT):
        (copy / beside).symlink_to(ROOT / beside)
    source = copy / plant.file
    written = source.read_text("utf-8")
    if written.count(plant.good) != 1:
        raise CommandError(
            f"planted: {plant.file}: what {plant.bug!r} replaces stands there {written.count(plant.good)}x"
        )
    source.write_text(written.replace(plant.good, plant.bad), "utf-8")


CI = len(PLANTS) - len(TESTED) + 1
"""Of the bugs that tests catch, which run in CI as they are, the first shows that a test can."""
PROOF = Proof("the proofs catch what they should", "planted bugs", ci=CI, release=len(PLANTS), run=run)
