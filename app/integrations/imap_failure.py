"""Puts imaplib's and imap-tools' many failures into our words."""

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from imap_tools.errors import MailboxFolderSelectError, MailboxLoginError, UnexpectedCommandStatusError

from app.integrations.errors import Failure, IntegrationError, failure_of

# Codes with which a server says "not now", whatever the command (RFC 5530, and Dovecot's own).
_PASSING = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN|OVERQUOTA)\b", re.IGNORECASE)
_DETAIL = 200


@contextmanager
def named_failures() -> Iterator[None]:
    """Around a call to the mailbox: what server or network do wrong leaves as an IntegrationError."""
    try:
        yield
    except UnexpectedCommandStatusError as error:
        raise _refusal(error) from error
    except imaplib.IMAP4.abort as error:
        raise IntegrationError(_of_abort(str(error)), _short(str(error))) from error
    except imaplib.IMAP4.error as error:
        raise IntegrationError(Failure.PROTOCOL_ERROR, _short(str(error))) from error
    except OSError as error:
        raise IntegrationError(failure_of(error), _short(str(error))) from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # imaplib does not check what it parses: an answer that is no IMAP trips it in these ways.
        raise IntegrationError(Failure.PROTOCOL_ERROR, _short(f"{type(error).__name__}: {error}")) from error


def _refusal(error: UnexpectedCommandStatusError) -> IntegrationError:
    said = _text(error.command_result[1])
    if _PASSING.search(said):
        return IntegrationError(Failure.UNAVAILABLE, _short(said))
    if isinstance(error, MailboxLoginError):
        return IntegrationError(Failure.AUTH_FAILED, _short(said))
    if isinstance(error, MailboxFolderSelectError):
        return IntegrationError(Failure.FOLDER_MISSING, _short(said))
    return IntegrationError(Failure.PROTOCOL_ERROR, _short(said))


def _of_abort(said: str) -> Failure:
    return Failure.PROTOCOL_ERROR if "unexpected" in said else Failure.CONNECTION_LOST


def _text(data: object) -> str:
    pieces = data if isinstance(data, list) else [data]
    return b" ".join(piece for piece in pieces if isinstance(piece, bytes)).decode("utf-8", "replace")


def _short(said: str) -> str:
    return said[:_DETAIL]
