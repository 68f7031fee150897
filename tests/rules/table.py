"""Where we answer otherwise than the predecessor did, and by which decision.

A key is a vector's id, or a group that waits for a feature or is asked elsewhere.
"""

from dataclasses import dataclass
from typing import Any

from tests.rules.cast import FOLDER


@dataclass(frozen=True, slots=True)
class Differs:
    """We answer `ours` instead, by a decision."""

    decision: str
    ours: Any


@dataclass(frozen=True, slots=True)
class Waits:
    """Asked when the feature is there."""

    feature: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What answers is no pure function, or says it in another shape: other tests ask it."""

    tests: str


def _due(time: str | None) -> dict[str, Any]:
    return {"matches": time is not None, "delivery_time": time}


def _links(*urls: str) -> list[dict[str, str]]:
    return [{"provider": "fromsmash" if "smash" in url else "dropbox", "raw_url": url} for url in urls]


def _offer(*, matches: bool, upload: bool = False) -> dict[str, bool]:
    return {"matches": matches, "has_dropbox_request": upload, "is_urgent": False}


def _subject(stripped: str, *, reply: bool) -> dict[str, Any]:
    return {"stripped": stripped, "treated_as_reply": reply}


def _left(payload: dict[str, Any] | None, *, posts: int = 1, sent: bool = True) -> dict[str, Any]:
    return {"posts": posts if payload else 0, "payload": payload, "sent": sent and payload is not None}


def _body(subject: str, content: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any key
    return {
        "subject": subject,
        "receivedDateTime": "Mon, 13 Oct 2025 10:00:00 +0200",
        "sender_address": "Ann <ann@example.com>",
        "bodyPreview": content,
        "email_content": content,
        "sender_email": "ann@example.com",
        **more,
    }


def _documented(
    content: str | None,
    *links: dict[str, str],
    first: str | None,
    **more: Any,  # noqa: ANN401 - any key
) -> dict[str, Any]:
    dropbox = [link["raw_url"] for link in links if link["provider"] == "dropbox"]
    return {
        "microsoft_graph_email_id": "12345",
        "subject": "Test",
        "receivedDateTime": None,
        "sender_address": None,
        "bodyPreview": content,
        "email_content": content,
        "sender_email": None,
        **({"delivery_links": list(links)} if links else {}),
        "first_direct_download_url": first,
        "dropbox_urls": dropbox,
        "dropbox_first_url": dropbox[0] if dropbox else None,
        **more,
    }


_OFFER = "Dispo dans la journée ? Tarifs habituels. https://www.dropbox.com/request/abc\nSe désabonner\n\n"
_DESABO = "desabonnement_journee_tarifs"
_SMASH = {"provider": "fromsmash", "raw_url": "https://fromsmash.com/XYZ-789"}
_DEF = {"provider": "dropbox", "raw_url": "https://www.dropbox.com/scl/fo/def456"}
_ABC = {"provider": "dropbox", "raw_url": FOLDER}
_DELIVERY = _body(
    "Livraison", "fichiers https://fromsmash.com/abc\n\n", delivery_links=_links("https://fromsmash.com/abc")
)
_MISSION = _body(
    "Média Solution - Missions Recadrage - Lot 42",
    f"À faire pour 16h30\n{FOLDER}\n\n",
    detector="recadrage",
    delivery_time="16h30",
    delivery_links=[_ABC],
)

TABLE: dict[str, Differs | Elsewhere | Waits] = {
    # mail
    "reply_prefix-021": Differs("D5", _subject("Objet", reply=True)),
    "reply_prefix-023": Differs("D5", _subject("Objet", reply=True)),
    "reply_prefix-024": Differs("D5", _subject("Lot 42", reply=False)),
    "reply_prefix-027": Differs("D5", _subject("Lot", reply=True)),
    "sender_extract-009": Differs("D4", ""),
    "subject_group-026": Differs("D5", "subject_hash_f02368945726d5fc2a14eb576f7276c0"),
    # recadrage
    "pattern_media_solution-031": Differs("D6", _due("le 03/09/2025 à 09h30")),
    "pattern_media_solution-036": Differs("D6", _due("le 03/09/2025 à 09h30")),
    "pattern_media_solution-039": Differs("D7", _due("le 03/09/2025 à 09h00")),
    "pattern_media_solution-040": Differs("D7", _due("le 03/09/2026 à 09h00")),
    "pattern_media_solution-042": Differs("D7", _due("le 03/09/2025 à 09h00")),
    "pattern_media_solution-043": Differs("D7", _due(None)),
    "pattern_media_solution-044": Differs("D7", _due(None)),
    "pattern_media_solution-048": Differs("D7", _due(None)),
    "pattern_media_solution-053": Differs("D7", _due(None)),
    "pattern_media_solution-054": Differs("D7", _due(None)),
    "pattern_media_solution-055": Differs("D7", _due("12h00")),
    "pattern_media_solution-060": Differs("D6", _due(None)),
    "pattern_media_solution-061": Differs("D7", _due("18h30")),
    "pattern_media_solution-071": Differs("D9", _due(None)),
    "pattern_media_solution-072": Differs("D9", _due("10h00")),
    "pattern_media_solution-079": Differs("D7", _due("03h30")),
    # DESABO
    "pattern_desabo-013": Differs("D9", _offer(matches=True, upload=True)),
    "pattern_desabo-020": Differs("D6", _offer(matches=True)),
    "pattern_desabo-030": Differs("D8", _offer(matches=True)),
    # links
    "link_extraction-017": Differs("D9", []),
    "link_extraction-020": Differs("D9", _links("https://app.fromsmash.com/abc")),
    "link_extraction-024": Differs("D9", []),
    "link_extraction-025": Differs("D9", []),
    "link_extraction-026": Differs("D9", _links("https://www.dropbox.com/scl/fo/abc")),
    "link_extraction-029": Differs("D9", _links("https://www.dropbox.com/scl/fo/abc")),
    "link_extraction-030": Differs("D9", _links("https://www.dropbox.com/scl/fo/abc")),
    "link_extraction-033": Differs("D9", _links("https://www.dropbox.com/scl/fo/abc?dl=0")),
    "link_extraction-034": Differs("D9", _links("https://www.dropbox.com/scl/fo/abc")),
    "link_extraction-035": Differs("D9", []),
    "link_extraction-036": Differs("D9", []),
    "provider_detect-011": Differs("D9", "wetransfer"),
    "provider_detect-013": Differs("D9", "unknown"),
    "provider_detect-014": Differs("D9", "unknown"),
    # gates
    "absence-014": Waits("the import of the predecessor's configuration (D26)"),
    "desabo_window-004": Differs("D13", {"early_ok": False, "start_payload": None, "window_ok": True}),
    "polling_active-012": Differs("D33", ours=True),
    "polling_active-014": Differs("gates: vacation does not stop polling", ours=True),
    "gating-005": Differs(
        "D9",
        _left(
            _body(
                "Lots du jour",
                _OFFER,
                webhooks_time_start="maintenant",
                webhooks_time_end="19h00",
                detector=_DESABO,
            )
        ),
    ),
    "gating-006": Differs(
        "D9",
        _left(
            _body(
                "Lots du jour",
                _OFFER,
                webhooks_time_start="10h30",
                webhooks_time_end="19h00",
                detector=_DESABO,
            )
        ),
    ),
    "gating-007": Differs("D14", _left(None)),
    "gating-008": Differs(
        "D9",
        _left(
            _body(
                "Lots du jour URGENT",
                _OFFER,
                webhooks_time_start="maintenant",
                webhooks_time_end="19h00",
                detector=_DESABO,
            )
        ),
    ),
    "gating-017": Differs("D13", _left(None)),
    "gating-022": Differs(
        "D15", _left(_body("Désabonnement", "journée, tarifs habituels\n\n", detector=_DESABO))
    ),
    "gating-031": Differs("D19", _left(_DELIVERY)),
    "gating-032": Differs("D19", _left(_DELIVERY)),
    "gating-041": Differs("D10", _left(_MISSION)),
    "gating-043": Differs("D4", _left(None)),
    # payload: the live keys and the three, never the documented or the Make payloads
    "payload-001": Differs(
        "D20",
        _documented("Full email content here", _ABC, _SMASH, first=FOLDER)
        | {
            "subject": "Test Subject",
            "receivedDateTime": "2025-10-13T14:30:00Z",
            "sender_address": "sender@example.com",
            "sender_email": "sender@example.com",
        },
    ),
    "payload-002": Differs("D20", _documented(None, _ABC, _DEF, _SMASH, first=FOLDER)),
    "payload-003": Differs("D20", _documented(None, _SMASH, first=_SMASH["raw_url"])),
    "payload-004": Differs("D20", _documented(None, first=None)),
    "payload-006": Differs(
        "D20",
        _documented(
            None,
            {
                "provider": "dropbox",
                "raw_url": "u",
                "direct_url": "d",
                "r2_url": "r",
                "original_filename": "f",
            },
            first="d",
        ),
    ),
    "payload-007": Differs(
        "D20",
        _documented(
            "Contenu", first=None, detector=_DESABO, webhooks_time_start="09:00", webhooks_time_end="17:00"
        )
        | {
            "microsoft_graph_email_id": "",
            "subject": "Désabonnement demandé",
            "sender_email": "sender@example.com",
        },
    ),
    "payload-010": Differs("D19", ["sent"]),
    "payload-011": Differs("D19", ["pending", "sent"]),
    "payload-012": Differs("D19", ["pending", "pending"]),
    "payload-013": Differs("D19", ["pending", "sent"]),
    "payload-017": Differs("D19", ["pending", "pending", "sent"]),
    # configuration
    "make_url_normalise-011": Differs("issue 4: every zone", "https://hook.eu1.make.com/abc"),
    "make_url_normalise-012": Differs("issue 4: every zone", "https://hook.eu2.make.com/abc"),
    "text_normalise-009": Differs("issue 3: folding by default", "oeuvre"),
    "prefs_validate-025": Differs("D18", {"ok": True, "changed": {}}),
    "env_bool-011": Differs("D25: a malformed variable stops the start", "refused"),
    # groups that are not asked here
    "dedup": Elsewhere("tests/jobs/test_decide.py: the ledger keeps the marks (D10), not sets in Redis"),
    "dropbox_normalise": Waits("offload (D23)"),
    "magic_link": Waits("the access page (D29)"),
    "object_key": Waits("offload (D23)"),
    "r2_fetch": Waits("offload (D23)"),
    "r2_links": Waits("offload (D23)"),
    "rate_limit": Elsewhere("tests/jobs/test_rate_limit.py"),
    "url_normalise": Elsewhere("tests/rules/test_endpoint_draft.py, tests/integrations/test_network.py"),
}
