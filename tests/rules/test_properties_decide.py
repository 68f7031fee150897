"""What holds of every judgement, whatever the mail, the rules, the settings and the moment."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.condition import Group
from app.rules.decide import Judgement, decide, groups_of
from app.rules.group import GroupKey
from app.rules.mail import Mail
from app.rules.rule import Rule
from app.rules.settings import Settings
from app.rules.verdict import Mark, Step, Verdict
from app.rules.words import say
from tests.rules.drawn import mails, moments, rules, settings_

many = settings(deadline=None, max_examples=100)

STRENGTH = [Verdict.DELIVER, Verdict.HOLD, Verdict.DUPLICATE, Verdict.IGNORE]
CATALOGUE = Path(__file__).parents[2] / "locale/fr/LC_MESSAGES/messages.po"
with CATALOGUE.open("rb") as file:
    FRENCH = {message.id: message.string for message in read_po(file) if isinstance(message.string, str)}

some_rules = st.lists(rules(), max_size=4, unique_by=lambda rule: rule.id)


def french(text: str) -> str:
    return FRENCH.get(text) or text


def judged(
    mail: Mail, some: list[Rule], setting: Settings, now: datetime, **marked: Mapping[GroupKey, int]
) -> Judgement:
    return decide(mail=mail, rules=some, settings=setting, marks=marked.get("marks", {}), now=now)


def explanations(judgement: Judgement) -> Iterator[tuple[Step, ...]]:
    yield judgement.steps
    yield from (outcome.steps for outcome in judgement.outcomes)


@many
@given(mails(), some_rules, settings_(), moments)
def test_every_mail_is_judged_and_every_line_of_it_can_be_said(
    mail: Mail, some: list[Rule], setting: Settings, now: datetime
) -> None:
    judgement = judged(mail, some, setting, now)
    for steps in explanations(judgement):
        assert [step.mark for step in steps].count(Mark.STOPPED) <= 1
        for step in steps:
            assert say(step.reason, zone=setting.zone)
            assert say(step.reason, french, zone=setting.zone)
            assert json.loads(json.dumps(step.to_json())) == step.to_json()
    assert say(judgement.reason)
    assert judged(mail, some, setting, now) == judgement


@many
@given(mails(), some_rules, settings_(), moments)
def test_the_verdict_is_the_strongest_of_what_the_rules_say(
    mail: Mail, some: list[Rule], setting: Settings, now: datetime
) -> None:
    judgement = judged(mail, some, setting, now)
    said = [outcome for outcome in judgement.outcomes if outcome.verdict is not None]
    strongest = min((STRENGTH.index(outcome.verdict) for outcome in said if outcome.verdict), default=3)
    assert judgement.verdict is STRENGTH[strongest]
    assert judgement.reason in [outcome.reason for outcome in said] or not said
    assert len(judgement.outcomes) <= len(some)
    for outcome, rule in zip(judgement.outcomes, some, strict=False):
        assert (outcome.rule_id, outcome.version_id) == (rule.id, rule.version_id)
        assert outcome.matched is (outcome.verdict is not None)
        assert outcome.priority is setting.sender_priority.get(mail.sender, rule.priority)
        assert not outcome.dropped or outcome.verdict is Verdict.IGNORE
        assert outcome.release_at is None or (outcome.verdict is Verdict.HOLD and outcome.release_at > now)


@many
@given(mails(), some_rules, settings_(), moments)
def test_a_rule_says_the_same_alone_and_in_company(
    mail: Mail, some: list[Rule], setting: Settings, now: datetime
) -> None:
    for number, outcome in enumerate(judged(mail, some, setting, now).outcomes):
        assert judged(mail, [some[number]], setting, now).outcomes == (outcome,)


@many
@given(mails(), rules(stop=st.sampled_from([True])), rules(), settings_())
def test_what_stands_behind_a_rule_that_ends_the_search_changes_nothing(
    mail: Mail, last: Rule, behind: Rule, setting: Settings
) -> None:
    now = mail.arrived_at
    before, after = judged(mail, [last], setting, now), judged(mail, [last, behind], setting, now)
    if before.outcomes and before.outcomes[0].matched:
        assert (after.verdict, after.reason, after.outcomes) == (
            before.verdict,
            before.reason,
            before.outcomes,
        )
        assert after.steps[-1].reason.code == "rule_ends_search"
    else:
        assert after.outcomes[: len(before.outcomes)] == before.outcomes


@many
@given(mails(), rules(exclude_keywords=st.just(())), moments)
def test_a_rule_and_its_contrary_share_the_mails_between_them(mail: Mail, rule: Rule, now: datetime) -> None:
    turned = replace(rule.conditions, negated=not rule.conditions.negated)
    wrapped = Group(items=(turned,))
    outcomes = [
        judged(mail, [replace(rule, conditions=whole)], Settings(), now).outcomes
        for whole in (rule.conditions, turned, wrapped)
    ]
    if all(outcomes):  # no reply, which no rule is asked about
        (same,), (contrary,), (other,) = outcomes
        assert same.matched is not contrary.matched
        assert contrary.matched is other.matched


@many
@given(mails(), rules(), settings_())
def test_what_is_caught_stands_in_the_mail(mail: Mail, rule: Rule, setting: Settings) -> None:
    texts = [mail.subject, mail.text, mail.sender, mail.mailbox, *mail.recipients]
    texts += [value for values in mail.headers.values() for value in values]
    for outcome in judged(mail, [rule], setting, mail.arrived_at).outcomes:
        assert all(caught and any(caught in text for text in texts) for caught in outcome.captures.values())


@many
@given(mails(), some_rules, settings_(), moments)
def test_a_group_that_somebody_spoke_for_is_not_spoken_for_again(
    mail: Mail, some: list[Rule], setting: Settings, now: datetime
) -> None:
    free = judged(mail, some, setting, now)
    marks = dict.fromkeys(groups_of(mail, some, setting, now), 12)
    taken = judged(mail, some, setting, now, marks=marks)
    assert [outcome.matched for outcome in taken.outcomes] == [outcome.matched for outcome in free.outcomes]
    for before, after in zip(free.outcomes, taken.outcomes, strict=True):
        assert before.group is None or before.group in marks
        assert after.group is None
        assert (after.verdict is Verdict.DUPLICATE) is (before.group is not None)
        assert before.group is not None or after == before
