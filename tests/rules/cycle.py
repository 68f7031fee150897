"""What leaves when a mail is read: judgement, payload and the receiver's answers, put together."""

import ast
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.integrations.html_text import text_of
from app.rules.condition import Group
from app.rules.decide import Judgement, decide
from app.rules.group import GroupKey
from app.rules.mail import Mail
from app.rules.outcome import Answer, Word, treat
from app.rules.payload import build
from app.rules.rule import Rule
from app.rules.sender import bare_address, is_listed
from app.rules.settings import Settings, day_names
from app.rules.verdict import Verdict
from app.rules.window import parse_time
from tests.rules.cast import DESABO, LINKS, MONDAY, RECADRAGE, a_mail, preset

Given = dict[str, Any]

ANN = "Ann <ann@example.com>"
SENDERS = ["ann@example.com"]
DATE = "Mon, 13 Oct 2025 10:00:00 +0200"
# Mails that the recording only describes.
DESCRIBED = {
    "sender outside the configured list": (
        "A",
        "fichiers https://fromsmash.com/abc\n\n",
        "x@stranger.example",
    ),
    "text + html alternative": (
        "A",
        'voir html\n\n<p><a href="https://www.dropbox.com/scl/fo/abc?rlkey=k&amp;dl=0">x</a></p>\n',
        ANN,
    ),
}
# What D20 adds to every payload, and the id, which was not recorded.
UNRECORDED = {"microsoft_graph_email_id", "first_direct_download_url", "dropbox_urls", "dropbox_first_url"}


def leaves(given: Given) -> dict[str, Any]:
    """How many requests one cycle makes, the last payload, and whether it was accepted."""
    now = datetime.fromisoformat(given["now"])
    rules = (RECADRAGE, DESABO, _any_mail() if given["allow_without_links"] else LINKS)
    payloads: list[dict[str, Any]] = []
    marks: dict[GroupKey, int] = {}
    for subject, content, sender in _mails(given["mail"]):
        if not is_listed(bare_address(sender), SENDERS):
            continue
        mail = _mail(subject, content, now)
        judgement = decide(mail=mail, rules=rules, settings=_settings(given), marks=marks, now=now)
        payloads += _payloads(judgement, mail, content, sender)
        marks |= {outcome.group: len(marks) for outcome in judgement.outcomes if outcome.group}
    if not payloads:
        return {"posts": 0, "payload": None, "sent": False}
    tries = states([_response(text) for text in given["receiver_responses"]])
    recorded = {key: value for key, value in payloads[-1].items() if key not in UNRECORDED}
    return {"posts": len(payloads) - 1 + len(tries), "payload": recorded, "sent": tries[-1] == "sent"}


def _any_mail() -> Rule:
    return preset(2, links_required=False, conditions=Group().to_json())


def states(responses: Sequence[tuple[int | str, str]]) -> list[str]:
    """What a delivery is after each try, as long as it is tried."""
    passed: list[str] = []
    for tries, (status, body) in enumerate(responses):
        answer = Answer(status=status, body=body) if isinstance(status, int) else Answer(word=Word.TIMED_OUT)
        treatment = treat(answer, tries=tries, refusals=tries, now=MONDAY, random=0.5)
        passed.append(treatment.state)
        if treatment.state != "pending":
            break
    return passed


def recorded(expected: Given) -> dict[str, Any]:
    """The same of the predecessor."""
    sent = any(entry["status"] == "success" for entry in expected["log_entries"])
    return {"posts": expected["http_posts"], "payload": expected["payload"], "sent": sent}


def _mails(given: str | list[Any] | Given) -> list[tuple[str, str, str]]:
    if isinstance(given, str):
        return [DESCRIBED[given]]
    if isinstance(given, list):
        return _mails(given[0]) * len(given)
    return [(given["subject"], f"{given['body']}\n\n", ANN)]


def _mail(subject: str, content: str, now: datetime) -> Mail:
    plain, _, html = content.partition("\n\n")
    return a_mail(subject, f"{plain}\n{text_of(html)[0]}", source_text=content, arrived_at=now)


def _settings(given: Given) -> Settings:
    """A bound comes from the configuration, or else from the environment that is read into an empty one."""
    config, env = given["webhook_config"], given["env"]
    start, end = (
        config.get(f"webhook_time_{side}")
        or env.get(f"WEBHOOKS_TIME_{side.upper()}")
        or env.get(f"WEBHOOK_TIME_{side.upper()}")
        for side in ("start", "end")
    )
    return Settings(
        window_start=parse_time(start),
        window_end=parse_time(end),
        window_start_text=start,
        window_end_text=end,
        absence_enabled=config.get("absence_pause_enabled", False),
        absence_days=day_names(config.get("absence_pause_days", [])),
    )


def _payloads(judgement: Judgement, mail: Mail, content: str, sender: str) -> list[dict[str, Any]]:
    return [
        build(
            email_id="e1",
            subject=mail.subject,
            date_header=DATE,
            sender_header=sender,
            sender=bare_address(sender),
            content=content,
            detector=outcome.detector,
            delivery_time=outcome.delivery_time,
            window_start=outcome.window_start_text,
            window_end=outcome.window_end_text,
            links=[{"provider": link.provider, "raw_url": link.raw_url} for link in judgement.links],
        )
        for outcome in judgement.outcomes
        if outcome.verdict is Verdict.DELIVER
    ]


def _response(text: str) -> tuple[int | str, str]:
    """`200 {...}`, `(200, {...})`, or a letter for a connection that failed."""
    if text.startswith("("):
        status, body = ast.literal_eval(text)
        return status, body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    status, _, body = text.partition(" ")
    return (int(status), body) if status.isdigit() else (status, "")
