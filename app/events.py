"""The names of live events: pages hear a name and fetch what they show of it."""

from enum import StrEnum

CHANNEL = "signal:events"


class Event(StrEnum):
    ALL_CHANGED = "all-changed"
    DELIVERY_CHANGED = "delivery-changed"
    MAILBOX_CHANGED = "mailbox-changed"
    MESSAGE_CHANGED = "message-changed"
    PROCESS_CHANGED = "process-changed"
    RULE_CHANGED = "rule-changed"
    RUN_CHANGED = "run-changed"
