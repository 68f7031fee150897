"""`signal-server demo`: a mailbox, a receiver and sample mails on this machine, for a first look."""

from importlib.util import find_spec

from app.config import Config
from app.ready import CannotStart


def run(config: Config) -> None:
    """Play until a signal says stop.

    Raises:
        CannotStart: the IMAP server is not installed, or there is a mailbox of one's own.
    """
    if find_spec("pymap") is None:
        message = "the demo needs an IMAP server: pip install 'signal-server[demo]'"
        raise CannotStart(message)
    from app.demo.play import play  # noqa: PLC0415 - it imports what may not be installed

    play(config)
