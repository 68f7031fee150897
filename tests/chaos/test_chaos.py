"""The whole program amid dying processes, in short; `make chaos` is the long form."""

from pathlib import Path

import pytest

from tests.chaos.run import Plan, run

pytestmark = pytest.mark.dovecot

SEED = 4
# Between reading mails and storing them: there the order of the steps is all that saves them.
CRASH = "t1.before_commit:2"
BROKEN = ("tests.chaos.variants.mark_first", "tests.chaos.variants.mark_seen")


def test_processes_that_die_lose_nothing_and_leave_nothing_to_people(tmp_path: Path) -> None:
    outcome = run(Plan(mails=500, seed=SEED, rate=40), tmp_path / "data")
    assert not list(outcome.wrong())
    assert outcome.kills


@pytest.mark.parametrize("module", ["app.cli", *BROKEN])
def test_mail_that_counts_as_read_before_it_is_stored_is_lost_and_no_other(
    tmp_path: Path, module: str
) -> None:
    plan = Plan(mails=60, seed=SEED, rate=40, every=3, module=module, crash_at=CRASH)
    outcome = run(plan, tmp_path / "data")
    assert bool(outcome.lost) is (module in BROKEN)
