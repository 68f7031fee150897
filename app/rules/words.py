"""Every reason's code as a sentence, in the reader's language."""

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from app.rules.phrases import AND, DAYS, MEGABYTES, MORE, ONE_DAY, OR, POINT, QUOTED
from app.rules.sentences import SENTENCES
from app.rules.url_faults import FAULTS
from app.rules.verdict import Reason
from app.rules.vocabulary import DATE, MOMENT, WORDS

Translate = Callable[[str], str]

_WORDS = WORDS | {fault: fault for fault in FAULTS}


def say(reason: Reason, translate: Translate = str, *, zone: str | tzinfo = "UTC") -> str:
    """The sentence for a reason, in the reader's language and zone.

    Raises:
        KeyError: nobody wrote a sentence for this code.
    """
    known = {name for name, value in reason.facts.items() if value is not None and value not in ("", [])}
    sentence = next(text for text in SENTENCES[reason.code] if _fields(text) <= known)
    clock = ZoneInfo(zone) if isinstance(zone, str) else zone
    return _Speaker(translate, clock).vformat(translate(sentence), (), reason.facts)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


class _Speaker(Formatter):
    """Fills a sentence; what follows the colon in `{release_at:moment}` says how a fact is shown."""

    def __init__(self, translate: Translate, zone: tzinfo) -> None:
        self._translate = translate
        self._zone = zone

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - as the library has it
        shown: dict[str, Callable[[Any], str]] = {
            "": str,
            "moment": self._moment,
            "date": self._date,
            "megabytes": self._megabytes,
            "days": self._days,
            "word": self._word,
            "words": self._words,
            "names": ", ".join,
            "quoted": self._quoted,
            "both": lambda said: self._said(said, AND),
            "either": lambda said: self._said(said, OR),
        }
        return shown[format_spec](value)

    def _moment(self, value: str) -> str:
        at = datetime.fromisoformat(value).astimezone(self._zone)
        return at.strftime(self._translate(MOMENT))

    def _date(self, value: str) -> str:
        return date.fromisoformat(value).strftime(self._translate(DATE))

    def _megabytes(self, value: float) -> str:
        count = f"{value / 1024 / 1024:.1f}".replace(".", self._translate(POINT))
        return self._translate(MEGABYTES).format(count=count)

    def _days(self, count: int) -> str:
        return self._translate(ONE_DAY) if count == 1 else self._translate(DAYS).format(count=count)

    def _word(self, value: str) -> str:
        """A word or a code of ours is translated; anything else is shown as it is."""
        ours = _WORDS.get(value) or SENTENCES.get(value, ("",))[-1]
        return self._translate(ours) if ours else value

    def _words(self, values: list[str]) -> str:
        return ", ".join(self._word(value) for value in values)

    def _quoted(self, texts: list[str]) -> str:
        quoted = self._translate(QUOTED)
        return ", ".join(text if text == MORE else quoted.format(text=text) for text in texts)

    def _said(self, reasons: list[dict[str, Any]], joint: str) -> str:
        """Reasons within a sentence, each in its own words."""
        said = [say(Reason.from_json(one), self._translate, zone=self._zone) for one in reasons]
        return f" {self._translate(joint)} ".join(said)
