"""Every reason's code as a sentence: the one place where judgement is put into words."""

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from app.rules.verdict import Reason

Translate = Callable[[str], str]


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a sentence for the catalogue; it is translated where it is said."""
    return message


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
            "megabytes": _megabytes,
            "word": self._word,
            "words": self._words,
        }
        return shown[format_spec](value)

    def _moment(self, value: str) -> str:
        at = datetime.fromisoformat(value).astimezone(self._zone)
        return at.strftime(self._translate(MOMENT))

    def _date(self, value: str) -> str:
        return date.fromisoformat(value).strftime(self._translate(DATE))

    def _word(self, value: str) -> str:
        """A word or a code of ours is translated; anything else is shown as it is."""
        ours = WORDS.get(value) or SENTENCES.get(value, ("",))[-1]
        return self._translate(ours) if ours else value

    def _words(self, values: list[str]) -> str:
        return ", ".join(self._word(value) for value in values)


def _megabytes(value: float) -> str:
    return f"{value / 1024 / 1024:.1f} MB"


DATE = N_("%Y-%m-%d")
MOMENT = N_("%Y-%m-%d %Hh%M")

WORDS = {
    "monday": N_("Monday"),
    "tuesday": N_("Tuesday"),
    "wednesday": N_("Wednesday"),
    "thursday": N_("Thursday"),
    "friday": N_("Friday"),
    "saturday": N_("Saturday"),
    "sunday": N_("Sunday"),
    "send": N_("this rule sends such mail"),
    "hold": N_("this rule holds such mail"),
    "drop": N_("this rule drops such mail"),
    "recadrage": N_("recadrage mission"),
    "desabonnement_journee_tarifs": N_("DESABO offer"),
    "links": N_("mail with a delivery link"),
    "subject_terms": N_("the words of the subject"),
    "delivery_link": N_("a delivery link"),
    "delivery_time": N_("a delivery time"),
    "journee": N_("“journée” in the text"),
    "tarifs_habituels": N_("“tarifs habituels” in the text"),
    "desabonnement": N_("“se désabonner” or an upload request"),
    "headers": N_("its headers"),
}

# Of several sentences the first whose facts are known is said.
SENTENCES: dict[str, tuple[str, ...]] = {
    # what is asked of a mail before any rule
    "before_start": (N_("Older than the start chosen for this mailbox: listed, not processed"),),
    "sender_not_listed": (
        N_("The sender {sender} is not on the list of this mailbox"),
        N_("The sender is not on the list of this mailbox"),
    ),
    "too_large": (
        N_("Too large to fetch: {size:megabytes}, the limit is {limit:megabytes}"),
        N_("The answer was too large"),
    ),
    "vanished": (N_("It vanished from the mailbox before it could be fetched"),),
    "not_fetched": (N_("It could not be fetched: {detail:word}"), N_("It could not be fetched")),
    "unparsable": (N_("It could not be read: {detail:word}"), N_("It could not be read")),
    "parser_killed": (
        N_("Deciding it broke off {tries} times; it is set aside with its source"),
        N_("Deciding it broke off; it is set aside with its source"),
    ),
    "duplicate_mail": (N_("The same mail was handled before, as mail {message_id}"),),
    "text_cut": (N_("Very long: only the first {limit:megabytes} of its text were read"),),
    "insisted": (N_("Somebody asked for it to be handled all the same"),),
    "demo_over": (N_("It belonged to the demo, which is over"),),
    "plain_cut": (N_("Very long: only the first megabyte of its plain text was read"),),
    "unknown_charset": (
        N_("Its character set “{name}” is unknown: read as UTF-8, what did not fit is left out"),
    ),
    "html_too_deep": (N_("Its HTML is nested too deeply: read without its structure"),),
    "too_deep": (N_("Its parts are nested too deeply: the innermost were not read"),),
    "too_many_parts": (N_("It has too many parts: the last ones were not read"),),
    "no_boundary": (N_("It claims to have parts but does not say where they begin: read as plain text"),),
    "header_cut": (N_("Its headers are very long: only their beginning was read"),),
    "reply_prefix": (N_("The subject begins with “{prefix}”: replies and forwards are not processed"),),
    "no_reply_prefix": (N_("The subject does not begin like a reply or a forward"),),
    "exclude_keyword": (
        N_("It contains “{keyword}”, a keyword that the rule “{rule}” excludes"),
        N_("It contains the excluded keyword “{keyword}”"),
    ),
    "no_exclude_keyword": (N_("Excluded keywords looked for: {count}; none is in it"),),
    "no_rule": (N_("There is no active rule"),),
    "no_rule_matched": (N_("No rule matches it"),),
    "rule_ends_search": (N_("Rule “{rule}” matched and ends the search: later rules were not looked at"),),
    "rule_error": (N_("The rule “{rule}” failed: {detail}"), N_("The rule “{rule}” failed")),
    # what a rule finds
    "matched_recadrage": (
        N_("Recadrage mission with the delivery time {delivery_time}; delivery links: {links}"),
        N_("Recadrage mission"),
    ),
    "matched_desabonnement_journee_tarifs": (
        N_("DESABO offer: “journée”, “tarifs habituels”, nothing forbidden"),
    ),
    "matched_links": (N_("Delivery links found: {links}"), N_("This rule takes any mail")),
    "not_matched": (
        N_("No {detector:word}: missing {missing:words}"),
        N_("No {detector:word}: it contains “{forbidden}”"),
    ),
    "no_endpoint": (N_("The rule “{rule}” has no receiver"),),
    "group_duplicate": (
        N_("Mail {message_id} about the same ({group}) came first in this period ({scope})"),
    ),
    "group_free": (N_("First mail about {group} in this period ({scope})"),),
    # what the gates say
    "not_expired": (N_("The day on which it arrived is not over"),),
    "hold_expired": (N_("Out of date since {expired_at:moment}: the day on which it arrived is over"),),
    "absence_day": (
        N_("{day:word} is a day of absence; {action:word} until {release_at:moment}"),
        N_("{day:word} is a day of absence; {action:word}"),
    ),
    "no_absence": (N_("{day:word} is no day of absence"),),
    "paused": (N_("Sending is paused; {action:word}"), N_("Sending is paused")),
    "sending_on": (N_("Sending is on"),),
    "vacation": (
        N_("Vacation from {start:date} to {end:date}; {action:word} until {release_at:moment}"),
        N_("Vacation from {start:date} to {end:date}; {action:word}"),
    ),
    "no_vacation": (N_("No vacation today"),),
    "before_window": (
        N_("Window {opens}–{closes}: now {now}, before opening; {action:word} until {release_at:moment}"),
        N_("Window {opens}–{closes}: now {now}, before opening; {action:word}"),
    ),
    "after_window": (
        N_("Window {opens}–{closes}: now {now}, after closing; {action:word} until {release_at:moment}"),
        N_("Window {opens}–{closes}: now {now}, after closing; {action:word}"),
    ),
    "inside_window": (N_("Window {opens}–{closes}: now {now}, inside"),),
    "no_window": (N_("No window is set: any time will do"),),
    "links_found": (N_("It has a delivery link"),),
    "links_not_needed": (N_("This rule needs no delivery link"),),
    "no_links": (N_("It has no delivery link; {action:word}"),),
    "rule_sends": (N_("Goes to the rule's receivers: {receivers}"),),
    # what is asked when a delivery is claimed
    "endpoint_paused": (N_("The receiver is paused"),),
    "endpoint_parked": (N_("The receiver is parked: nothing goes to it until somebody takes it up again"),),
    "retry_after": (N_("The receiver asked to be left alone until {until:moment}"),),
    "rate_limited": (N_("Attempts in the last hour: {used} of {limit}; it waits for its turn"),),
    "sent_again": (N_("Sent again by hand"),),
    "form_next": (N_("The receiver takes no JSON (status {status}): the same goes out as a form at once"),),
    # how a try ended
    "sent": (N_("The receiver accepted it (status {status})"), N_("The receiver accepted it")),
    "timed_out": (N_("No answer in time"),),
    "refused": (N_("The connection was refused"),),
    "unreachable": (N_("The host cannot be reached"),),
    "name_not_found": (N_("The host's name is not known"),),
    "tls_failed": (
        N_("No secure connection: the certificate or the protocol was not accepted ({detail})"),
        N_("No secure connection: the certificate or the protocol was not accepted"),
    ),
    "connection_lost": (N_("The connection broke off"),),
    "protocol_error": (N_("The answer made no sense ({detail})"), N_("The answer made no sense")),
    "private_address": (N_("The address is private: only targets on ALLOW_PRIVATE_TARGETS may be"),),
    "bad_url": (
        N_("The address is not one that may be called ({detail})"),
        N_("The address is not one that may be called"),
    ),
    "secret_unreadable": (N_("The stored secret cannot be read with this APP_SECRET_KEY: enter it again"),),
    "auth_failed": (
        N_("User name or password was not accepted ({detail})"),
        N_("User name or password was not accepted"),
    ),
    "folder_missing": (N_("The folder does not exist ({detail})"), N_("The folder does not exist")),
    "unavailable": (
        N_("The server is not available for now ({detail})"),
        N_("The server is not available for now"),
    ),
    "parser_failed": (N_("The parser gave up on it"),),
    "parser_too_slow": (N_("Reading the mail took too long"),),
    "parser_too_big": (N_("Reading the mail took too much memory"),),
    "lost": (N_("The process ended while sending: it may have arrived"),),
    "lease_lost": (N_("Another process took it over"),),
    "unexpected": (N_("An error of ours ({detail}): see the log"), N_("An error of ours: see the log")),
    "bad_status": (
        N_("The receiver answered with status {status}"),
        N_("The receiver answered with a failure"),
    ),
    "redirect": (
        N_(
            "The receiver is elsewhere (status {status}); redirects are not followed: enter the final address"
        ),
        N_("The receiver is elsewhere; redirects are not followed: enter the final address"),
    ),
    "gone": (N_("The receiver is gone for good (status 410): it is parked, its deliveries are held"),),
    "receiver_refused": (
        N_("The receiver refused it (status {status}): {message}"),
        N_("The receiver refused it (status {status})"),
        N_("The receiver refused it"),
    ),
    "bot_protection": (
        N_("A bot protection answered in the receiver's place ({name})"),
        N_("A bot protection answered in the receiver's place"),
    ),
    "not_confirmed": (N_("The receiver did not answer “success”: true, which this one demands"),),
}
