"""The neighbours that the tests of this ring talk to."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest
import trustme

from app.integrations.imap import Account
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.trust import Trust
from app.integrations.webhook import Target, Webhooks
from tests.servers import Dovecot, FakeImap, Sink


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost", "127.0.0.1")


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that knows our authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def dovecot(certificate: trustme.LeafCert) -> Iterator[Dovecot]:
    pem = certificate.private_key_and_cert_chain_pem.bytes()
    with Dovecot(certificate=pem) as server:
        yield server


@pytest.fixture
def ada(dovecot: Dovecot, request: pytest.FixtureRequest) -> Account:
    """A mailbox of the test's own."""
    return account(dovecot.port, username=f"ada-{abs(hash(request.node.nodeid))}", password=dovecot.password)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.fixture
async def webhooks(sink: Sink, trusting: ssl.SSLContext) -> AsyncIterator[Webhooks]:
    """Allowed to reach the sink and nothing else that is private."""
    posting = Webhooks(Gate(sink.address), trust=Trust(lambda: trusting))
    yield posting
    await posting.aclose()


@pytest.fixture
def target(sink: Sink) -> Target:
    return Target(key=1, url=sink.url)


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    async with Parser() as running:
        yield running


def account(port: int, *, username: str = "ada", password: str = "secret", limit: float = 10.0) -> Account:
    return Account(
        host="127.0.0.1", port=port, tls=False, username=username, password=password, timeout=limit
    )


def at(server: FakeImap, limit: float = 10.0) -> Account:
    return account(server.port, limit=limit)


def with_body(head: str, body: bytes | str) -> bytes:
    return head.encode() + b"\n\n" + (body.encode() if isinstance(body, str) else body)
