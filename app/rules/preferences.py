"""The preferences, by the names that the predecessor gave them, as somebody wrote them; and what they do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.mail_address import MAIL_ADDRESS
from app.rules.draft import MOST_VALUES, texts
from app.rules.rule import Priority
from app.rules.sender import bare_address
from app.rules.verdict import Problems, Reason

MOST_ADDRESSES = 10

_WORDS = {**{priority.value: priority.value for priority in Priority}, "medium": Priority.NORMAL.value}
_FRENCH = {"haute": Priority.HIGH.value, "normale": Priority.NORMAL.value, "basse": Priority.LOW.value}
_SHOWN = 60  # characters of a wrong value that a message repeats
_DELAY = 2  # seconds between tries, where there were none before


def read(raw: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    """Read the preferences that are there, in their order; names that are not known are passed over.

    Only without problems may what was read be saved.
    """
    values: dict[str, Any] = {}
    problems: Problems = {}
    for name, take in _READERS.items():
        if name in raw:
            taken = take(raw[name])
            (problems if isinstance(taken, Reason) else values)[name] = taken
    return values, problems


def _keywords(value: object) -> list[str] | Reason:
    """A keyword has an effect, so a blank one is none (D18)."""
    found = texts(value)
    return found if isinstance(found, Reason) else list(found)


def _number(least: int, most: int) -> Callable[[object], int | Reason]:
    def take(value: Any) -> int | Reason:  # noqa: ANN401 - whatever JSON holds
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            number = least - 1
        known = least <= number <= most
        return number if known else Reason("not_a_number", {"least": least, "most": most})

    return take


def _size(value: object) -> int | Reason | None:
    return None if value is None else _number(1, 10_000)(value)


def _senders(value: object) -> dict[str, str] | Reason:
    if not isinstance(value, Mapping):
        return Reason("not_an_object")
    if len(value) > MOST_VALUES:
        return Reason("too_many", {"limit": MOST_VALUES})
    senders = {}
    for key, word in value.items():
        address = str(key).strip().lower()
        if not address or bare_address(address) != address:
            code = "bad_address" if word else "bad_sender_line"
            return Reason(code, {"address": str(key)[:_SHOWN]})
        known = _WORDS.get(word.strip().lower()) if isinstance(word, str) else None
        if known is None:
            return Reason("bad_priority", {"address": address, "value": str(word)[:_SHOWN]})
        senders[address] = known
    return senders


def _addresses(value: object) -> list[str] | Reason:
    """Addresses that mail goes to: one twice is one, and none holds what could end a command or a header."""
    found = texts(value, exact=True)
    if isinstance(found, Reason):
        return found
    if len(found) > MOST_ADDRESSES:
        return Reason("too_many", {"limit": MOST_ADDRESSES})
    for address in found:
        if not MAIL_ADDRESS.fullmatch(address):
            return Reason("bad_address", {"address": address[:_SHOWN]})
    return list({address.lower(): address for address in found}.values())


def unheard(values: Mapping[str, Any]) -> Problems:
    """Say that nobody would be told, where somebody is to be."""
    lacking = values.get("notify_on_failure") and values.get("notify_to") == []
    return {"notify_to": Reason("nobody_to_tell")} if lacking else {}


_READERS: dict[str, Callable[[Any], Any]] = {
    "exclude_keywords_recadrage": _keywords,
    "exclude_keywords_autorepondeur": _keywords,
    "exclude_keywords": _keywords,
    "require_attachments": bool,
    "max_email_size_mb": _size,
    "sender_priority": _senders,
    "retry_count": _number(0, 10),
    "retry_delay_sec": _number(0, 600),
    "webhook_timeout_sec": _number(1, 300),
    "rate_limit_per_hour": _number(0, 100_000),
    "notify_on_failure": bool,
    "notify_to": _addresses,
    "mirror_media_to_custom": bool,
}


def priorities(text: str) -> dict[str, str]:
    """Take lines such as `ann@example.org: high` apart; the same address counts as it stands last.

    `=` or a blank may stand for the colon, and a French word for the priority.
    """
    pairs = [(address.strip().lower(), word.strip()) for address, word in map(_pair, text.splitlines())]
    return {address: _FRENCH.get(word.lower(), word) for address, word in pairs if address or word}


def _pair(line: str) -> tuple[str, str]:
    if ":" in line:
        address, _, word = line.rpartition(":")
        return address, word
    for separated, mark in ((line, "="), (" ".join(line.split()), " ")):
        address, _, word = separated.rpartition(mark)
        if "@" in address:  # an address may hold a `=` of its own
            return address, word
    return line, ""


def retries(schedule: Sequence[float]) -> dict[str, int]:
    """Say a receiver's waits between tries as the predecessor said its own, as far as that goes."""
    return {
        "retry_count": min(len(schedule), 10),
        "retry_delay_sec": min(int(schedule[0]), 600) if schedule else _DELAY,
    }


def rescheduled(schedule: Sequence[float], wanted: Mapping[str, Any]) -> list[float]:
    """The waits as they are wanted; those of a schedule that is wanted as it was told stay."""
    told = retries(schedule)
    new = told | {name: wanted[name] for name in told if name in wanted}
    return list(schedule) if new == told else [new["retry_delay_sec"]] * new["retry_count"]


def effect(
    *,
    keywords: Sequence[str],
    attachments: bool,
    megabytes: int,
    senders: Mapping[str, str],
    grouping: bool,
) -> tuple[Reason, ...]:
    """Say what preferences do to mail; `megabytes` is the size above which no mail is fetched."""
    return (
        Reason("leaves_out_all", {"keywords": list(keywords)}),
        Reason("attachments_required" if attachments else "attachments_optional"),
        Reason("size_limit", {"megabytes": megabytes}),
        *_turns(senders),
        Reason("groups_once" if grouping else "groups_off"),
    )


def further_effect(*, mirror: str, notify: bool, to: Sequence[str], server: bool) -> tuple[Reason, ...]:
    """Say what else they do: the `mirror`'s name, who is told by mail, whether there is a mail `server`."""
    mirroring = Reason("mirrors_links", {"name": mirror}) if mirror else Reason("mirrors_nothing")
    if not notify:
        return mirroring, Reason("tells_nobody")
    if not server:
        return mirroring, Reason("tells_without_server")
    return mirroring, Reason("tells", {"to": list(to)})


def _turns(senders: Mapping[str, str]) -> tuple[Reason, ...]:
    turns = (
        Reason("senders_first", _those(senders, Priority.HIGH)),
        Reason("senders_in_turn", _those(senders, Priority.NORMAL)),
        Reason("senders_last", _those(senders, Priority.LOW)),
    )
    return tuple(turn for turn in turns if turn.facts["senders"]) or (Reason("senders_alike"),)


def _those(senders: Mapping[str, str], priority: Priority) -> dict[str, list[str]]:
    return {"senders": [address for address, word in senders.items() if word == priority]}
