"""What becomes of one mail."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.condition import Group
from app.rules.decide import Judgement, Outcome, decide, groups_of
from app.rules.gates import AT_ONCE
from app.rules.group import GroupKey
from app.rules.mail import Mail
from app.rules.rule import Priority, Rule
from app.rules.settings import Settings
from app.rules.verdict import Mark, Verdict
from app.rules.words import say
from tests.rules.cast import (
    ALL,
    LINKS,
    LOT_42,
    MISSION,
    MONDAY,
    OFFER,
    RECADRAGE,
    a_mail,
    open_from,
    paris,
    preset,
)
from tests.rules.conditions import asks, group

LOT = "media_solution_missions_recadrage_lot_42"
KEY = GroupKey(rule_id=1, scope="2025-10", group=LOT)
SHARED = "Livraison https://fromsmash.com/abc"


def judged(
    mail: Mail | None = None,
    rules: Sequence[Rule] = ALL,
    setting: Settings | None = None,
    marks: Mapping[GroupKey, int] | None = None,
) -> Judgement:
    return decide(
        mail=mail or a_mail(), rules=rules, settings=setting or Settings(), marks=marks or {}, now=MONDAY
    )


def codes(judgement: Judgement | Outcome) -> list[str]:
    return [step.reason.code for step in judgement.steps]


def test_a_mission_goes_with_its_time_and_its_links() -> None:
    judgement = judged()
    (outcome,) = judgement.outcomes
    assert (judgement.verdict, outcome.verdict, outcome.matched) == (Verdict.DELIVER, Verdict.DELIVER, True)
    assert (outcome.detector, outcome.delivery_time, outcome.group) == ("recadrage", "16h30", KEY)
    assert [link.raw_url for link in judgement.links] == [MISSION.split()[-1]]
    assert codes(judgement) == ["no_reply_prefix", "rule_ends_search"]
    assert codes(outcome)[:2] == ["matched_recadrage", "group_free"]
    assert judgement.reason == outcome.reason == outcome.steps[-1].reason


def test_an_offer_goes_without_its_upload_link() -> None:
    judgement = judged(a_mail("Lots du jour", OFFER))
    assert [outcome.matched for outcome in judgement.outcomes] == [False, True]
    assert (judgement.links, len(judgement.uploads)) == ((), 1)
    assert judgement.outcomes[1].detector == "desabonnement_journee_tarifs"


def test_any_other_mail_with_a_link_goes_and_has_no_detector() -> None:
    judgement = judged(a_mail("Livraison", SHARED))
    assert [outcome.matched for outcome in judgement.outcomes] == [False, False, True]
    assert (judgement.verdict, judgement.outcomes[2].detector) == (Verdict.DELIVER, None)


def test_a_rule_without_conditions_takes_any_mail() -> None:
    assert judged(a_mail("Bonjour", "rien")).reason.code == "no_rule_matched"
    assert (
        judged(
            a_mail("Bonjour", "rien"), [preset(2, links_required=False, conditions=Group().to_json())]
        ).verdict
        is Verdict.DELIVER
    )


@pytest.mark.parametrize(
    ("mail", "missing"),
    [
        (a_mail("Média Solution - Missions Recadrage - Pilote"), ["subject_terms"]),
        (a_mail(text="À faire pour 16h30"), ["delivery_link"]),
        (a_mail(text="https://www.dropbox.com/request/abc 16h30"), ["delivery_link"]),
        (a_mail(text=SHARED), ["delivery_time"]),
        (a_mail("", ""), ["subject_terms", "delivery_link", "delivery_time"]),
    ],
)
def test_what_a_mission_lacks_is_named(mail: Mail, missing: list[str]) -> None:
    (outcome,) = judged(mail, [RECADRAGE]).outcomes
    assert (outcome.matched, outcome.verdict, outcome.reason.code) == (False, None, "not_matched")
    assert outcome.reason.facts["missing"] == missing


def test_a_mission_whose_link_has_no_scheme_is_kept_and_not_sent() -> None:
    (outcome,) = judged(a_mail(text="À faire pour 10h dropbox.com/scl/fo/abc")).outcomes
    assert (outcome.matched, outcome.verdict, outcome.reason.code) == (True, Verdict.IGNORE, "no_links")
    assert outcome.dropped


def test_the_words_of_a_subject_are_a_setting_of_the_rule() -> None:
    rule = preset(0, subject_terms=["Réf", "montage"])
    assert judged(a_mail("REF 12 montage"), [rule]).outcomes[0].matched
    assert not judged(a_mail("Réforme montage"), [rule]).outcomes[0].matched


@pytest.mark.parametrize("word", ["annulation", "Facture", "TOTAL  HT", "référence client", "en ce moment"])
def test_an_offer_with_a_forbidden_word_is_none(word: str) -> None:
    (outcome,) = judged(a_mail("Lots", f"{OFFER}\n{word}."), [preset(1)]).outcomes
    assert not outcome.matched
    assert "forbidden" in outcome.reason.facts


@pytest.mark.parametrize("word", ["momentanément", "facturer", "réannulation", "total htva"])
def test_a_forbidden_word_counts_only_whole(word: str) -> None:
    assert judged(a_mail("Lots", f"{OFFER}\n{word}."), [preset(1)]).outcomes[0].matched


def test_the_forbidden_words_are_a_setting_of_the_rule() -> None:
    text = f"{OFFER} en ce moment"
    assert judged(a_mail("Lots", text), [preset(1, forbidden_terms=[])]).outcomes[0].matched


@pytest.mark.parametrize(
    ("subject", "prefix"),
    [("Re: Lot", "Re:"), ("[EXT] RE[2] : Lot", "[EXT] RE[2] :"), ("Confirmation : Lot", "Confirmation :")],
)
def test_a_reply_is_not_processed(subject: str, prefix: str) -> None:
    judgement = judged(a_mail(subject))
    assert (judgement.verdict, judgement.outcomes) == (Verdict.IGNORE, ())
    assert (judgement.reason.code, judgement.reason.facts) == ("reply_prefix", {"prefix": prefix})


def test_blanks_around_a_subject_do_not_matter() -> None:
    assert judged(a_mail(f"  {LOT_42}\t")).verdict is Verdict.DELIVER


def test_an_excluded_keyword_counts_whatever_its_accents() -> None:
    judgement = judged(setting=Settings(exclude_keywords=("  ", "RECÀDRAGE")))
    assert (judgement.verdict, judgement.reason.facts) == (Verdict.IGNORE, {"keyword": "RECÀDRAGE"})
    assert judged(setting=Settings(exclude_keywords=("  ", "absent"))).verdict is Verdict.DELIVER


def test_a_keyword_of_a_rule_keeps_only_that_rule_away() -> None:
    judgement = judged(rules=(preset(0, exclude_keywords=["À faire"]), LINKS))
    assert [outcome.matched for outcome in judgement.outcomes] == [False, True]
    assert judgement.outcomes[0].reason.facts == {"keyword": "À faire", "rule": "Recadrage"}


def test_a_mail_without_rules_says_so() -> None:
    assert judged(rules=()).reason.code == "no_rule"


def test_a_rule_without_receiver_holds_its_mail_and_still_ends_the_search() -> None:
    judgement = judged(rules=(preset(0, endpoint_ids=()), LINKS))
    assert [outcome.reason.code for outcome in judgement.outcomes] == ["no_endpoint"]
    assert (judgement.verdict, judgement.outcomes[0].dropped) == (Verdict.HOLD, False)


def test_a_cut_mail_says_so_first() -> None:
    judgement = judged(a_mail(text_cut=True))
    assert (judgement.steps[0].reason.code, judgement.steps[0].mark) == ("text_cut", Mark.NOTED)
    assert judgement.verdict is Verdict.DELIVER


def test_the_second_mail_of_a_lot_is_a_duplicate_of_the_first() -> None:
    judgement = judged(marks={KEY: 12})
    (outcome,) = judgement.outcomes
    assert (judgement.verdict, outcome.group, outcome.dropped) == (Verdict.DUPLICATE, None, False)
    assert outcome.reason.facts == {"group": LOT, "scope": "2025-10", "message_id": 12}


def test_a_group_is_asked_for_where_a_rule_has_one() -> None:
    assert groups_of(a_mail(), ALL, Settings(), MONDAY) == (KEY,)
    assert groups_of(a_mail(), ALL, Settings(group_dedup=False), MONDAY) == ()
    assert groups_of(a_mail("Média Solution - Missions Recadrage - Lot n°42"), ALL, Settings(), MONDAY) == ()


def test_the_month_of_a_group_is_that_of_the_arrival_in_the_zone() -> None:
    late = a_mail(arrived_at=paris("2025-11-01 00:30"))
    assert groups_of(late, ALL, Settings(), MONDAY)[0].scope == "2025-11"
    assert groups_of(late, ALL, Settings(zone="UTC"), MONDAY)[0].scope == "2025-10"


def test_a_group_may_last_for_days_and_be_any_subject() -> None:
    (key,) = groups_of(a_mail("Bonjour"), [preset(2, group="days:7")], Settings(), MONDAY)
    assert (key.scope, key.group[:13], key.expires_at) == ("days", "subject_hash_", paris("2025-10-20 14:00"))


def test_a_rule_that_leaves_missions_out_groups_whatever_is_left() -> None:
    conditions = group("all", asks("detector not equals", "recadrage")).to_json()
    rule = preset(2, group="month", conditions=conditions)
    (key,) = groups_of(a_mail("Bonjour"), [rule], Settings(), MONDAY)
    assert key.group.startswith("subject_hash_")


def test_mail_without_attachments_may_be_left_alone() -> None:
    wanted = Settings(require_attachments=True)
    assert judged(setting=wanted).reason.code == "no_attachment"
    judgement = judged(a_mail(attachments=2), setting=wanted)
    assert (judgement.verdict, judgement.steps[1].reason.facts) == (Verdict.DELIVER, {"count": 2})


def test_the_turn_is_the_senders_or_else_the_rules() -> None:
    low = preset(0, priority="low")
    ann = Settings(sender_priority={"ann@example.com": Priority.HIGH})
    assert [judged(rules=[rule]).outcomes[0].priority for rule in (RECADRAGE, low)] == ["normal", "low"]
    assert judged(rules=[low], setting=ann).outcomes[0].priority is Priority.HIGH
    assert judged(a_mail(sender="bob@example.com"), [low], ann).outcomes[0].priority is Priority.LOW


def test_what_a_pattern_caught_is_in_the_outcome() -> None:
    rule = preset(2, conditions=group("all", asks("subject matches", r"lot (?P<number>\d+)")).to_json())
    assert judged(rules=[rule]).outcomes[0].captures == {"number": "42"}


def test_the_strongest_outcome_is_the_mails_verdict() -> None:
    held = preset(2, policy={"after": "hold"})
    dropping = preset(2, policy={"after": "drop"})
    sending = preset(2, policy={"after": "send"})
    evening = open_from("9h", "12h")
    assert judged(rules=(dropping, held), setting=evening).verdict is Verdict.HOLD
    assert judged(rules=(held, dropping, sending), setting=evening).verdict is Verdict.DELIVER
    assert judged(rules=(dropping,), setting=evening).verdict is Verdict.IGNORE


def test_what_receivers_are_told_of_the_window_is_in_the_outcome() -> None:
    (outcome,) = judged(setting=open_from("9h", "19h")).outcomes
    assert (outcome.window_start_text, outcome.window_end_text) == (AT_ONCE, "19h")


_WORDS = st.sampled_from(
    [
        *LOT_42.split(),
        *MISSION.split(),
        *OFFER.split(),
        "URGENCE",
        "le",
        "3/9",
        "9h",
        "Re:",
        "[EXT]",
        "(",
        "\n",
        "é",
        "\ud800",
    ]
)
_TEXTS = st.one_of(st.text(), st.lists(_WORDS).map(" ".join))


@settings(deadline=None)
@given(subject=_TEXTS, text=_TEXTS, cut=st.booleans(), days=st.sampled_from(["none", "month", "days:3"]))
def test_every_text_has_a_verdict_and_every_step_a_sentence(
    *, subject: str, text: str, cut: bool, days: str
) -> None:
    rules = (preset(0, group=days), preset(1), preset(2, group=days))
    setting = open_from("9h", "13h", exclude_keywords=("rien",))
    judgement = judged(a_mail(subject, text, text_cut=cut), rules, setting)
    for steps in (judgement.steps, *(outcome.steps for outcome in judgement.outcomes)):
        assert all(say(step.reason) for step in steps)
        assert [step.mark for step in steps].count(Mark.STOPPED) <= 1
    assert (judgement.verdict is Verdict.IGNORE) or any(outcome.matched for outcome in judgement.outcomes)
