"""Rules that judge mail after mail remember by themselves which groups are taken."""

from app.rules.side import Side
from app.rules.verdict import Verdict
from tests.rules.cast import ALL, a_mail, open_from, paris

INSIDE, AFTER = paris("2025-10-13 14:00"), paris("2025-10-13 20:00")


def test_the_second_mail_of_a_lot_is_a_duplicate_of_the_first() -> None:
    side = Side(ALL, open_from("9h00", "19h00"), {})
    first, second = (side.judge(a_mail(), number, INSIDE) for number in (1, 2))
    assert (first.judgement.verdict, second.judgement.verdict) == (Verdict.DELIVER, Verdict.DUPLICATE)
    assert list(second.marks.values()) == [1]


def test_a_mail_that_was_dropped_speaks_for_no_other() -> None:
    side = Side(ALL, open_from("9h00", "19h00"), {})
    dropped, second = side.judge(a_mail(), 1, AFTER), side.judge(a_mail(), 2, INSIDE)
    assert dropped.judgement.outcomes[0].dropped
    assert second.judgement.verdict is Verdict.DELIVER
