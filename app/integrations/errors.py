"""The one error a neighbour raises, and the closed list of words it may say."""

import errno
import ssl
from enum import StrEnum

_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EHOSTDOWN}


class Failure(StrEnum):
    """What went wrong outside, in a word that is stored and shown."""

    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NAME_NOT_FOUND = "name_not_found"
    CONNECTION_LOST = "connection_lost"
    TLS_FAILED = "tls_failed"
    PROTOCOL_ERROR = "protocol_error"
    TOO_LARGE = "too_large"
    # the mailbox
    AUTH_FAILED = "auth_failed"
    FOLDER_MISSING = "folder_missing"
    UNAVAILABLE = "unavailable"
    # the mail server
    MAIL_REFUSED = "mail_refused"
    # the receiver
    BAD_URL = "bad_url"
    PRIVATE_ADDRESS = "private_address"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a word, no secret
    # the parser
    PARSER_FAILED = "parser_failed"
    PARSER_TOO_SLOW = "parser_too_slow"
    PARSER_TOO_BIG = "parser_too_big"


class IntegrationError(Exception):
    """A neighbour did not do what was asked."""

    def __init__(self, reason: Failure, detail: str = "", *, permanent: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.permanent = permanent


def failure_of(error: OSError) -> Failure:
    """The word for a connection that failed."""
    if isinstance(error, TimeoutError):
        return Failure.TIMED_OUT
    if isinstance(error, ssl.SSLError):
        return Failure.TLS_FAILED
    if isinstance(error, ConnectionRefusedError):
        return Failure.REFUSED
    return Failure.UNREACHABLE if error.errno in _NO_WAY else Failure.CONNECTION_LOST
