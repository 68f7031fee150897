"""The three rules that every empty database gets, in their order."""

from typing import Any

from app.rules.rule import DESABO, DESABO_FORBIDDEN, LINKS, RECADRAGE, RECADRAGE_TERMS, Action, Policy

_DROP_OUTSIDE = Policy(before=Action.DROP, after=Action.DROP)
_OFFER_OF_THE_DAY = Policy(before=Action.SEND, after=Action.DROP)
_HOLD = Policy()

PRESETS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "Recadrage",
        {
            "detector": RECADRAGE,
            "links_required": True,
            "group": "month",
            "policy": _DROP_OUTSIDE.definition(),
            "urgent_policy": None,
            "hold_expires": "never",
            "stop": True,
            "exclude_keywords": [],
            "subject_terms": list(RECADRAGE_TERMS),
        },
    ),
    (
        "DESABO",
        {
            "detector": DESABO,
            "links_required": False,
            "group": "none",
            "policy": _OFFER_OF_THE_DAY.definition(),
            "urgent_policy": _HOLD.definition(),
            "hold_expires": "end_of_day",
            "stop": True,
            "exclude_keywords": [],
            "forbidden_terms": list(DESABO_FORBIDDEN),
        },
    ),
    (
        "Any other mail with a delivery link",
        {
            "detector": LINKS,
            "links_required": True,
            "group": "none",
            "policy": _HOLD.definition(),
            "urgent_policy": None,
            "hold_expires": "never",
            "stop": False,
            "exclude_keywords": [],
        },
    ),
)
