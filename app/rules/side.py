"""Rules that judge mail after mail by themselves: the groups they mark are known to them alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.rules.decide import Judgement, decide, groups_of
from app.rules.group import GroupKey
from app.rules.mail import Mail
from app.rules.rule import Rule
from app.rules.settings import Settings

Marks = dict[GroupKey, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement with the marks it was given, which is all it takes to judge the same mail again."""

    judgement: Judgement
    marks: Mapping[GroupKey, int]


class Side:
    """One of two sets of rules that are compared over the same mails, in the order in which they came."""

    def __init__(self, rules: Sequence[Rule], settings: Settings, earlier: Mapping[GroupKey, int]) -> None:
        """`earlier` are the marks that mails before the first of these set."""
        self.rules = tuple(rules)
        self._settings = settings
        self._marks = {key: (message_id, key.expires_at) for key, message_id in earlier.items()}

    def judge(self, mail: Mail, message_id: int, now: datetime, *, insisted: bool = False) -> Judged:
        """Judge the next mail; who insisted on it is not told that another speaks for its group."""
        keys = () if insisted else groups_of(mail, self.rules, self._settings, now)
        marks = self._speaking(keys, now)
        judgement = decide(mail=mail, rules=self.rules, settings=self._settings, marks=marks, now=now)
        for outcome in judgement.outcomes:
            if outcome.group is not None and not outcome.dropped:
                self._marks[outcome.group] = message_id, outcome.group.expires_at
        return Judged(judgement, marks)

    def _speaking(self, keys: Sequence[GroupKey], now: datetime) -> Marks:
        found: Marks = {}
        for key in keys:
            message_id, expires_at = self._marks.get(key, (None, None))
            if message_id is not None and (expires_at is None or expires_at > now):
                found[key] = message_id
        return found
