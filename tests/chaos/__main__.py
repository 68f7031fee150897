"""Prints one line of figures; ends with 1 when something was lost, broken, or sent twice without need."""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.outcome import Outcome
from tests.chaos.run import Plan, run

TOLD = 20  # lost mails whose story is told


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--rate", type=float, default=25.0, help="mails a second")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between kills, on average")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        outcome = run(Plan(**vars(parser.parse_args())), folder / "data")
    except pytest.skip.Exception as missing:
        sys.exit(str(missing.msg))
    sys.stdout.write(f"{outcome.line}\n")
    sys.stderr.writelines(f"{line}\n" for line in details(outcome))
    wrong = list(outcome.wrong())
    if not wrong:
        shutil.rmtree(folder)
        return 0
    sys.stderr.writelines(
        f"{line}\n" for line in (*wrong, *stories(outcome, folder / "data"), f"See {folder}")
    )
    return 1


def details(outcome: Outcome) -> Iterator[str]:
    yield f"killed: {', '.join(f'{role} {count}' for role, count in sorted(outcome.kills.items()))}"
    yield f"in flight at the kills: {outcome.in_flight}; came twice for another reason: {outcome.unexplained}"


def stories(outcome: Outcome, data_dir: Path) -> Iterator[str]:
    ledger = Ledger(data_dir / "signal.db")
    for lot in sorted({lot for lot, _ in outcome.lost})[:TOLD]:
        yield f"mail {lot}: {ledger.story(lot) or 'has no row'}"


if __name__ == "__main__":
    sys.exit(main())
