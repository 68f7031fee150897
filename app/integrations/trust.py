"""By which certificates a receiver may prove its name."""

import ssl
from collections.abc import Callable

from app.integrations.errors import Failure, IntegrationError

MOST_KEPT = 32  # contexts, of some 700 kB each


def check_authority(pem: str) -> None:
    """Refuse what TLS could not use.

    Raises:
        IntegrationError: the text holds no certificate in PEM form, or a broken one.
    """
    _trust_also(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem)


class Trust:
    """A context for each authority: to make one is to read all certificates that the system trusts."""

    def __init__(self, usual: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        self._usual = usual
        self._verified: dict[str, ssl.SSLContext] = {}
        self._unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._unverified.minimum_version = ssl.TLSVersion.TLSv1_2
        self._unverified.check_hostname = False
        self._unverified.verify_mode = ssl.CERT_NONE

    def context(self, *, verify: bool, authority: str) -> ssl.SSLContext:
        """Trust the authority besides the usual ones; raises as `check_authority`."""
        if not verify:
            return self._unverified
        if authority not in self._verified:
            context = self._usual()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if authority:
                _trust_also(context, authority)
            while len(self._verified) >= MOST_KEPT:  # whoever holds one of them keeps it
                del self._verified[next(iter(self._verified))]
            self._verified[authority] = context
        return self._verified[authority]


def _trust_also(context: ssl.SSLContext, pem: str) -> None:
    """Take each certificate at its word: one of an office between will do, and the receiver's own."""
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, TypeError, ValueError) as error:  # TypeError: not ASCII
        detail = f"the additional authority is no certificate: {error}"
        raise IntegrationError(Failure.TLS_FAILED, detail, permanent=True) from error
