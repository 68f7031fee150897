"""Receivers that prove their name by an authority of their own."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme

from app.integrations.errors import Failure, IntegrationError
from app.integrations.network import Gate
from app.integrations.trust import MOST_KEPT, Trust, check_authority
from app.integrations.webhook import Answer, DeliveryError, Target, Webhooks
from tests.servers import Sink

PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def private() -> trustme.CA:
    """An authority that nobody knows."""
    return trustme.CA()


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


@contextmanager
def served(certificate: trustme.LeafCert, newest: ssl.TLSVersion | None = None) -> Iterator[Sink]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if newest is not None:
        context.minimum_version = context.maximum_version = newest
    with Sink(context=context) as sink:
        yield sink


async def post(sink: Sink, authority: str, usual: Callable[[], ssl.SSLContext] | None = None) -> Answer:
    posting = Webhooks(Gate("127.0.0.1"), trust=Trust(usual) if usual else None)
    try:
        return await posting.post(Target(key=1, url=sink.url, authority=authority), b"{}", {}, 10)
    finally:
        await posting.aclose()


async def refusal(sink: Sink, authority: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as refused:
        await post(sink, authority)
    assert not sink.seen
    return refused.value


async def test_an_authority_that_was_added_is_believed(private: trustme.CA) -> None:
    with served(private.issue_cert("127.0.0.1")) as sink:
        assert (await refusal(sink, "")).reason is Failure.TLS_FAILED
        assert (await post(sink, pem(private))).status == 200


async def test_an_authority_that_was_added_proves_no_other_name(private: trustme.CA) -> None:
    with served(private.issue_cert("elsewhere.example")) as sink:
        refused = await refusal(sink, pem(private))
    assert refused.reason is Failure.TLS_FAILED
    assert "IP address mismatch" in refused.detail


async def test_the_usual_authorities_are_believed_as_before(
    private: trustme.CA, authority: trustme.CA
) -> None:
    def usual() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    with served(authority.issue_cert("127.0.0.1")) as sink:
        assert (await post(sink, pem(private), usual)).status == 200


async def test_it_is_believed_for_its_own_receiver_only(private: trustme.CA) -> None:
    with served(private.issue_cert("127.0.0.1")) as sink:
        posting = Webhooks(Gate("127.0.0.1"))
        own = Target(key=1, url=sink.url, authority=pem(private))
        assert (await posting.post(own, b"{}", {}, 10)).status == 200
        with pytest.raises(DeliveryError) as refused:
            await posting.post(Target(key=2, url=sink.url), b"{}", {}, 10)
        await posting.aclose()
    assert refused.value.reason is Failure.TLS_FAILED


async def test_an_authority_that_was_changed_counts_from_the_next_request(private: trustme.CA) -> None:
    with served(private.issue_cert("127.0.0.1")) as sink:
        posting = Webhooks(Gate("127.0.0.1"))
        own = Target(key=1, url=sink.url, authority=pem(private))
        assert (await posting.post(own, b"{}", {}, 10)).status == 200
        with pytest.raises(DeliveryError):
            await posting.post(Target(key=1, url=sink.url), b"{}", {}, 10)
        await posting.aclose()


async def test_an_office_between_or_the_receivers_own_certificate_will_do(private: trustme.CA) -> None:
    office = private.create_child_ca()
    certificate = office.issue_cert("127.0.0.1")
    with served(certificate) as sink:
        assert (await post(sink, pem(office))).status == 200
        assert (await post(sink, certificate.cert_chain_pems[0].bytes().decode())).status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_an_old_protocol_is_refused_however_little_is_verified(private: trustme.CA) -> None:
    with served(private.issue_cert("127.0.0.1"), ssl.TLSVersion.TLSv1_1) as sink:
        assert (await refusal(sink, pem(private))).reason is Failure.TLS_FAILED
        posting = Webhooks(Gate("127.0.0.1"))
        with pytest.raises(DeliveryError):
            await posting.post(Target(key=1, url=sink.url, verify=False), b"{}", {}, 10)
        await posting.aclose()


def test_a_context_is_made_once_for_each_authority(private: trustme.CA) -> None:
    trust = Trust()
    ours = trust.context(verify=True, authority=pem(private))
    assert trust.context(verify=True, authority=pem(private)) is ours
    assert trust.context(verify=True, authority="") is not ours
    assert trust.context(verify=False, authority=pem(private)).verify_mode is ssl.CERT_NONE
    assert ours.minimum_version is ssl.TLSVersion.TLSv1_2


def test_of_many_contexts_the_oldest_goes(private: trustme.CA) -> None:
    trust = Trust(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    first, *others = [f"{number}\n{pem(private)}" for number in range(MOST_KEPT + 1)]
    oldest = trust.context(verify=True, authority=first)
    kept = [trust.context(verify=True, authority=text) for text in others]
    assert [trust.context(verify=True, authority=text) for text in others] == kept
    assert trust.context(verify=True, authority=first) is not oldest


def test_certificates_are_taken_one_or_many(private: trustme.CA, authority: trustme.CA) -> None:
    check_authority(pem(private))
    check_authority("our own:\r\n" + pem(private).replace("\n", "\r\n") + pem(authority))


@pytest.mark.parametrize(
    "text",
    ["", "no certificate", "é", "a\0b", PEM.format(""), PEM.format("bm9uZQ=="), PEM.format("***")],
)
async def test_what_is_no_certificate_is_refused_and_nothing_sent(sink: Sink, text: str) -> None:
    with pytest.raises(IntegrationError, match="no certificate") as refused:
        check_authority(text)
    assert refused.value.permanent
    if text:  # none at all is how an endpoint says that it has none
        kept = await refusal(sink, text)
        assert (kept.permanent, kept.sent) == (True, False)


def test_a_broken_certificate_among_good_ones_is_refused(private: trustme.CA) -> None:
    with pytest.raises(IntegrationError):
        check_authority(pem(private) + PEM.format("bm9uZQ=="))
