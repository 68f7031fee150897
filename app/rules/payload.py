"""The body of a webhook: the keys the predecessor's receivers know, and the three its documents promised."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

LINK = ("provider", "raw_url", "direct_url", "r2_url", "original_filename")  # what a link may say

CONTENT = frozenset({"bodyPreview", "email_content"})  # what a receiver may wish not to be sent

_PREVIEW = 200
_WHERE_KNOWN = frozenset(
    {"webhooks_time_start", "webhooks_time_end", "detector", "delivery_time", "delivery_links"}
)


class Facts(TypedDict):
    """What a body is made from: the mail's headers as they came, and what a rule found in it.

    A link has `provider` and `raw_url`, and once it is copied `direct_url`, `r2_url` and `original_filename`.
    """

    email_id: str
    subject: str | None
    date_header: str | None
    sender_header: str | None
    sender: str | None
    content: str | None
    detector: str | None
    delivery_time: str | None
    window_start: str | None
    window_end: str | None
    links: Sequence[Mapping[str, str]]


def build(**facts: Unpack[Facts]) -> dict[str, Any]:
    """Keys that say nothing are left out; the documented three are always there."""
    return {key: value for key, value in _whole(facts).items() if value or key not in _WHERE_KNOWN}


def for_mirror(
    *, subject: str | None, sender: str | None, links: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The body of a copy: where the files are, of which mail and whose, and nothing else."""
    return {"subject": subject, "sender_email": sender, "delivery_links": [dict(link) for link in links]}


def encode(body: Mapping[str, Any]) -> bytes:
    """The bytes that are sent and signed; half a surrogate pair becomes a question mark."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _whole(facts: Facts) -> dict[str, Any]:
    links, content = facts["links"], facts["content"]
    first = links[0] if links else {}
    dropbox = [link["raw_url"] for link in links if link["provider"] == "dropbox"]
    return {
        "microsoft_graph_email_id": facts["email_id"],
        "subject": facts["subject"],
        "receivedDateTime": facts["date_header"],
        "sender_address": facts["sender_header"],
        "bodyPreview": content[:_PREVIEW] if content is not None else None,
        "email_content": content,
        "sender_email": facts["sender"],
        "webhooks_time_start": facts["window_start"],
        "webhooks_time_end": facts["window_end"],
        "detector": facts["detector"],
        "delivery_time": facts["delivery_time"],
        "delivery_links": [dict(link) for link in links],
        "first_direct_download_url": first.get("direct_url", first.get("raw_url")),
        "dropbox_urls": dropbox,
        "dropbox_first_url": dropbox[0] if dropbox else None,
    }


EMPTY: Mapping[str, Any] = _whole(  # every key there is, saying nothing
    {
        "email_id": "",
        "subject": None,
        "date_header": None,
        "sender_header": None,
        "sender": None,
        "content": None,
        "detector": None,
        "delivery_time": None,
        "window_start": None,
        "window_end": None,
        "links": [],
    }
)
