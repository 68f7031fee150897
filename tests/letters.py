"""The cast's mails: each builder's name says what the mail is."""

from email.header import Header
from itertools import count

numbers = count(1)


def a_mail(subject: str, body: str, *, sender: str = "Ann <ann@example.com>", message_id: str = "") -> bytes:
    identity = message_id or f"<{next(numbers)}@example.com>"
    head = (
        f"From: {sender}\r\nTo: ops@example.org\r\nSubject: {Header(subject, 'utf-8').encode()}\r\n"
        f"Date: Mon, 16 Nov 2026 10:00:00 +0100\r\nMessage-ID: {identity}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return f"{head}{body}\r\n".encode()


def matching(lot: int | None = None, **headers: str) -> bytes:
    """A recadrage mission with a deadline and a folder to fetch."""
    lot = lot if lot is not None else next(numbers)
    return a_mail(
        f"Média Solution - Missions Recadrage - Lot {lot}",
        f"Bonjour,\r\nÀ faire pour 16h30\r\nhttps://www.dropbox.com/scl/fo/abc{lot}",
        **headers,
    )


def desabo(*, urgent: bool = False) -> bytes:
    """An availability call, answered from the opening of the window on."""
    first = "URGENT\r\n" if urgent else ""
    return a_mail("Lots du jour", f"{first}Disponible pour la journée ? Tarifs habituels.\r\nSe désabonner")


def newsletter() -> bytes:
    """A mail that no rule wants."""
    return a_mail("Les nouvelles du mois", "Rien à télécharger.")


def with_link() -> bytes:
    """A mail without detector that brings files."""
    return a_mail("Fichiers", f"Voici : https://fromsmash.com/abc{next(numbers)}")


def nested(depth: int = 3000) -> bytes:
    """A mail built to break a parser."""
    head = b"From: Eve <eve@example.com>\r\nSubject: deep\r\nMessage-ID: <deep@example.com>\r\n"
    return head + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"end\r\n"
