"""The gate: what may be reached, by URL, by address and by name."""

import ssl

import pytest

from app.config import Config
from app.integrations.errors import Failure, IntegrationError
from app.integrations.network import Gate
from app.integrations.resolver import resolve
from app.integrations.trust import Trust
from app.integrations.webhook import DeliveryError, Target, Webhooks
from app.rules.url_faults import NO_PASSWORDS, OURS
from tests.servers import Sink

REFUSED = {Failure.PRIVATE_ADDRESS, Failure.BAD_URL, Failure.NAME_NOT_FOUND}

# Every way we know to write this machine, its network or a cloud's secrets.
HOSTILE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25lo]/",
    "https://[fe80::1%lo]/",
    "https://[fc00::1]/",
    "https://[ff02::1]/",
    "https://[fd00:ec2::254]/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://user@127.0.0.1/",
    "https://example.com@127.0.0.1/",
    "https://user:password@example.com/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com/#fragment",
    "https://%31%32%37.0.0.1/",
    "https://[v1.a]/",
    "https://ⓔxample.com/",
    "https://example.com\u00ad/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:22/",
    "https://example.com:6379/",
    "https://exam ple.com/",
    "https://example.com/\r\nX: y",
    "https://example.com/\x00",
    "https://example.com/\u3000",
    "https:///path",
    "https://",
    "https:example.com",
    "https://" + "a" * 64 + ".com/",
    "https://example.com/" + "a" * 2048,
    "http://example.com/",
    "HTTP://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "javascript:alert(1)",
    "//example.com/",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
async def test_no_way_of_writing_it_gets_out(url: str, trusting: ssl.SSLContext) -> None:
    posting = Webhooks(Gate(), trust=Trust(lambda: trusting))
    with pytest.raises(DeliveryError) as refused:
        await posting.post(Target(key=1, url=url), b"{}", {}, 10)
    await posting.aclose()
    assert refused.value.reason in REFUSED
    assert not refused.value.sent


@pytest.mark.parametrize("host", ["0177.0.0.1", "[v1.a]", "ⓔxample.com", "example.com\u00ad", "a\u200d.org"])
def test_a_host_that_nothing_could_be_sent_to_is_none_at_once(host: str) -> None:
    with pytest.raises(IntegrationError) as refused:
        Gate("10.0.0.0/8").check_url(f"https://{host}/")
    assert refused.value.reason is Failure.BAD_URL


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook?a=b&c=%20d",
        "https://example.com:8443/hook",
        "https://EXAMPLE.com/",
        "https://bücher.example/",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    ],
)
def test_an_ordinary_url_passes(url: str) -> None:
    Gate().check_url(url)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_an_allowed_network_is_reached_with_and_without_tls(address: str) -> None:
    gate = Gate("10.0.0.0/8, [fd00::/8]:8080")
    gate.judge(address, 8000, plain=True)
    gate.judge(address, 8000, plain=False)
    gate.judge("fd00::1", 8080, plain=True)


@pytest.mark.parametrize(
    ("allow", "address", "port"),
    [
        ("10.0.0.0/8:8080", "10.1.2.3", 8081),
        ("10.0.0.0/8", "11.1.2.3", 80),
        ("10.0.0.0/8", "192.168.0.1", 80),
        ("fd00::/8", "fe80::1", 80),
        ("0.0.0.0/0, ::/0", "169.254.169.254", 80),
        ("0.0.0.0/0, ::/0", "::ffff:169.254.169.254", 80),
        ("0.0.0.0/0, ::/0", "fd00:ec2::254", 80),
        ("0.0.0.0/0", "127.0.0.1", 6379),
        ("127.0.0.1:22", "127.0.0.1", 22),
    ],
)
def test_the_list_opens_no_more_than_it_says(allow: str, address: str, port: int) -> None:
    with pytest.raises(IntegrationError):
        Gate(allow).judge(address, port, plain=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_no_list_opens_our_own_ports(address: str) -> None:
    gate = Gate("0.0.0.0/0, ::/0", closed={8000})
    with pytest.raises(IntegrationError) as refused:
        gate.judge(address, 8000, plain=True)
    assert refused.value.detail == OURS
    gate.judge(address, 8001, plain=True)


def test_somebody_elses_port_of_that_number_is_open() -> None:
    Gate("10.0.0.0/8", closed={8000}).judge("10.1.2.3", 8000, plain=True)


def test_the_ports_of_web_and_queue_are_our_own() -> None:
    assert Config(port=8000, redis_url="redis://:word@localhost:7001/0").own_ports == {8000, 7001}
    assert Config(port=8000, redis_url="redis://queue.example.org:7001/0").own_ports == {8000}
    gate = Gate.of(Config(port=8123, allow_private_targets="127.0.0.1"))
    with pytest.raises(IntegrationError):
        gate.check_url("http://127.0.0.1:8123/health")
    gate.check_url("http://127.0.0.1:8124/health")


def test_a_public_address_is_reached_with_tls_only() -> None:
    Gate().judge("93.184.215.14", 443, plain=False)
    with pytest.raises(IntegrationError) as refused:
        Gate().judge("93.184.215.14", 80, plain=True)
    assert refused.value.reason is Failure.BAD_URL
    assert refused.value.permanent


@pytest.mark.parametrize(
    "entry",
    [
        "example.com",
        "10.0.0.0/33",
        "10.0.0.1:0",
        "10.0.0.1:70000",
        "10.0.0.1:http",
        "[::1",
        "http://10.0.0.1",
        "*",
    ],
)
def test_a_bad_entry_of_the_list_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is not CIDR") as refused:
        Gate(f"127.0.0.1, {entry}")
    assert repr(entry) in str(refused.value)


def test_an_empty_list_allows_nothing() -> None:
    for allow in ("", " ", ",", " , "):
        with pytest.raises(IntegrationError):
            Gate(allow).judge("127.0.0.1", 8000, plain=True)


@pytest.mark.parametrize(
    ("url", "allows"),
    [("http://127.0.0.1:8199/x", "127.0.0.1/32:8199"), ("https://[::1]/", "[::1]/128:443")],
)
def test_a_private_address_comes_with_what_would_allow_it(url: str, allows: str) -> None:
    with pytest.raises(IntegrationError) as refused:
        Gate().check_url(url)
    assert refused.value.detail == f"ALLOW_PRIVATE_TARGETS={allows}"
    Gate(allows).check_url(url)


def test_a_password_in_an_address_is_named() -> None:
    with pytest.raises(IntegrationError) as refused:
        Gate().check_url("https://user:password@example.com/")
    assert refused.value.detail == NO_PASSWORDS


async def test_a_name_is_judged_by_every_address_it_has(sink: Sink) -> None:
    """`localhost` has two here or one; an address list that leaves one out refuses the name."""
    addresses = await resolve("localhost")
    allowed = [f"[{address}]" if ":" in address else address for address in addresses]
    posting = Webhooks(Gate(",".join(allowed)))
    url = f"http://localhost:{sink.port}/"
    if "127.0.0.1" in addresses:
        assert (await posting.post(Target(key=1, url=url), b"{}", {}, 10)).peer == "127.0.0.1"
    closed = Webhooks(Gate("192.168.0.0/16"))
    with pytest.raises(DeliveryError) as refused:
        await closed.post(Target(key=1, url=url), b"{}", {}, 10)
    assert refused.value.reason is Failure.PRIVATE_ADDRESS
    await posting.aclose()
    await closed.aclose()


async def test_a_refused_target_is_never_connected_to(sink: Sink) -> None:
    posting = Webhooks(Gate("127.0.0.2"))
    with pytest.raises(DeliveryError):
        await posting.post(Target(key=1, url=sink.url), b"{}", {}, 10)
    await posting.aclose()
    assert sink.connections == 0


async def test_an_address_needs_no_name_server() -> None:
    assert await resolve("127.0.0.1") == ("127.0.0.1",)
    assert await resolve("::1") == ("::1",)


@pytest.mark.parametrize("name", ["nowhere.invalid", "a" * 300 + ".com", "..", "\udcff"])
async def test_a_name_without_an_address_is_not_found(name: str) -> None:
    with pytest.raises(IntegrationError) as failed:
        await resolve(name)
    assert failed.value.reason is Failure.NAME_NOT_FOUND
