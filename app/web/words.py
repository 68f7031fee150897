"""Every word that a page shows for a state, a verdict, a step or an outcome, marked for the catalogue."""

from app.web.i18n import N_, gettext

WORDS = (
    # a mail
    N_("stored"),
    N_("decided"),
    N_("quarantined"),
    N_("oversize"),
    N_("vanished"),
    N_("deliver"),
    N_("hold"),
    N_("ignore"),
    N_("duplicate"),
    N_("passed"),
    N_("unmet"),
    N_("stopped"),
    N_("noted"),
    # a delivery
    N_("held"),
    N_("pending"),
    N_("sending"),
    N_("sent"),
    N_("failed"),
    N_("dropped"),
    N_("needs attention"),
    # a mailbox
    N_("new"),
    N_("ok"),
    N_("failing"),
    N_("refused"),
    # a receiver
    N_("active"),
    N_("paused"),
    N_("deleted"),
    N_("parked"),
    # a process
    N_("ready"),
    N_("died"),
    # a poll and its steps
    N_("queued"),
    N_("running"),
    N_("done"),
    N_("cancelled"),
    N_("connecting"),
    N_("listing"),
    N_("fetching"),
    N_("flagging"),
    # a trial, and what it found
    N_("gained"),
    N_("changed"),
    N_("unchanged"),
    # an outcome
    N_("timed out"),
    N_("unreachable"),
    N_("name not found"),
    N_("tls failed"),
    N_("connection lost"),
    N_("protocol error"),
    N_("too large"),
    N_("private address"),
    N_("bad url"),
    N_("secret unreadable"),
    N_("auth failed"),
    N_("mail refused"),
    N_("source removed"),
    N_("folder missing"),
    N_("unavailable"),
    N_("parser failed"),
    N_("parser too slow"),
    N_("parser too big"),
    N_("lost"),
    N_("unexpected"),
    N_("bad status"),
    N_("redirect"),
    N_("gone"),
    N_("receiver refused"),
    N_("bot protection"),
    N_("not confirmed"),
    N_("test over limit"),
)


def word(value: str) -> str:
    """Put it into the reader's language; its English is the word in the log and in the API."""
    return gettext(value.replace("_", " "))
