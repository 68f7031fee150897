"""imaplib's client with limits: on the bytes of an answer, and with a plug that another thread can pull."""

import contextlib
import imaplib
import socket
import ssl
import threading
from collections.abc import Sequence

from app.integrations.errors import Failure, IntegrationError

ANSWER_LIMIT = 64 * 1024 * 1024  # everything a server may say to one command; 100,000 listed mails are 11 MB

LONGEST_NUMBER = 10  # digits: what IMAP counts fits into 32 bits


class Plug:
    """Holds a connection's socket. Pulling it ends every wait on it, whatever a server drips."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._pulled = False

    def hold(self, held: socket.socket) -> None:
        with self._lock:
            self._socket = held
            pulled = self._pulled
        if pulled:
            self.pull()

    def pull(self) -> None:
        with self._lock:
            self._pulled = True
            held = self._socket
        if held is not None:
            # Not SSLSocket's own shutdown, which would go on in plain text.
            with contextlib.suppress(OSError):  # already closed by its own thread: what was wanted
                socket.socket.shutdown(held, socket.SHUT_RDWR)


class Client(imaplib.IMAP4):
    """Connects to addresses resolved before, with TLS when given a context, and stops at the limits."""

    def __init__(
        self,
        *,
        host: str,
        addresses: Sequence[str],
        port: int,
        context: ssl.SSLContext | None,
        timeout: float,
        literal_cap: int,
        plug: Plug,
    ) -> None:
        self._addresses = addresses
        self._context = context
        self._literal_cap = literal_cap
        self._answer_limit = max(ANSWER_LIMIT, 2 * literal_cap)
        self._answered = 0
        self._plug = plug
        super().__init__(host, port, timeout)

    def begin(self) -> None:
        """Before each command: count anew, and forget what was said unasked."""
        self._answered = 0
        self.untagged_responses.pop("FETCH", None)

    def told(self, name: str) -> int | None:
        """The number that the last SELECT gave with a name such as UIDVALIDITY."""
        said = self.untagged_responses.get(name) or [b""]
        number = said[-1] if isinstance(said[-1], bytes) and said[-1].isdigit() else b""
        return int(number) if 0 < len(number) <= LONGEST_NUMBER else None

    def read(self, size: int) -> bytes:
        if size > self._literal_cap:
            raise IntegrationError(Failure.TOO_LARGE, f"the server announced {size} bytes")
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._answered += size
        if self._answered > self._answer_limit:
            raise IntegrationError(Failure.TOO_LARGE, f"the answer exceeds {self._answer_limit} bytes")

    def _create_socket(self, timeout: float | None) -> socket.socket:
        for address in self._addresses[:-1]:
            with contextlib.suppress(OSError):  # the last address says what is wrong
                return self._connect_to(address, timeout)
        return self._connect_to(self._addresses[-1], timeout)

    def _connect_to(self, address: str, timeout: float | None) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        plain = socket.socket(family, socket.SOCK_STREAM)
        plain.settimeout(timeout)
        self._plug.hold(plain)
        try:
            plain.connect((address, self.port))
            return self._with_tls(plain, self._context) if self._context else plain
        except OSError:
            plain.close()
            raise

    def _with_tls(self, plain: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        secure = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self._plug.hold(secure)
        try:
            secure.do_handshake()
        except OSError:
            secure.close()
            raise
        return secure
