"""The gate for every HTTP request that leaves: which URLs and which addresses may be reached."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NoReturn, Self
from urllib.parse import urlsplit

import httpx2

from app.config import Config
from app.integrations.errors import Failure, IntegrationError
from app.rules.address import PORTS
from app.rules.url_faults import (
    NO_HOST,
    NO_HTTPS,
    NO_NAME,
    NO_PASSWORDS,
    NO_PORT,
    NO_RECEIVER,
    NO_SIGNS,
    OURS,
    UNENCRYPTED,
)

URL_LIMIT = 2048
SETTING = "ALLOW_PRIVATE_TARGETS"

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Written out beside `is_global`, whose meaning has changed between Python's patch releases.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"),
        *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
# Where clouds keep their machines' secrets: no setting opens these.
_METADATA = {
    ip_address(address)
    for address in (
        *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd00:c1::a9fe:a9fe", "fd20:ce::254"),
    )
}
# Services that would take an HTTP request for commands of theirs.
_DENIED_PORTS = {22, 25, 53, 110, 143, 465, 587, 993, 995, 3306, 5432, 6379, 11211, 27017}
_BAD_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\#\s]")
_WITH_PORT = re.compile(r"(\[[^\]]+\]|[^:\[\]]+)(/\d+)?(?::(\d+))?")
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class _Allowed:
    network: Network
    port: int | None


class Gate:
    """Knows the private targets that the owner allows: `CIDR[:port]`, comma-separated; IPv6 in brackets.

    `closed` are the ports of this machine at which we listen ourselves: no list opens those.
    """

    def __init__(self, allow: str = "", *, closed: Collection[int] = ()) -> None:
        self._closed = closed
        self._allowed = tuple(_allowed(entry) for part in allow.split(",") if (entry := part.strip()))

    @classmethod
    def of(cls, config: Config) -> Self:
        return cls(config.allow_private_targets, closed=config.own_ports)

    def check_url(self, url: str) -> None:
        """Refuse a URL that could be read in two ways, or whose literal address would be refused."""
        if len(url.encode("utf-8", "replace")) > URL_LIMIT:
            _refuse_url(f"longer than {URL_LIMIT} bytes")
        if _BAD_CHARACTERS.search(url):
            _refuse_url(NO_SIGNS)
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            httpx2.URL(url)  # as it is read when something is sent
        except httpx2.InvalidURL:
            _refuse_url(NO_NAME)
        except ValueError as error:
            _refuse_url(str(error)[:200])
        if parts.scheme not in PORTS:
            _refuse_url(NO_HTTPS)
        if not host or "@" in parts.netloc or "%" in parts.netloc or port == 0:
            _refuse_url(NO_PASSWORDS if "@" in parts.netloc else NO_HOST)
        self._check_target(parts.scheme, host, port or PORTS[parts.scheme])

    def judge(self, address: str, port: int, *, plain: bool) -> None:
        """Refuse an address that is not public and not allowed; `plain` HTTP reaches allowed ones only."""
        judged = _unwrapped(ip_address(address))
        if port in _DENIED_PORTS:
            _refuse_url(NO_PORT)
        if judged in _METADATA:
            _refuse_url(NO_RECEIVER)
        if judged.is_loopback:
            self.refuse_ours(port)
        if self.allows(address, port):
            return
        if not _public(judged):
            raise private(address, port)
        if plain:
            _refuse_url(UNENCRYPTED)

    def refuse_ours(self, port: int) -> None:
        """Refuse a port of this machine at which we listen: a delivery would be a request to ourselves."""
        if port in self._closed:
            _refuse_url(OURS)

    def allows(self, address: str, port: int) -> bool:
        """Whether the owner's list opens this very target."""
        judged = _unwrapped(ip_address(address))
        return any(judged in entry.network and entry.port in (None, port) for entry in self._allowed)

    def _check_target(self, scheme: str, host: str, port: int) -> None:
        plain = scheme == "http"
        if _is_address(host):
            self.judge(host, port, plain=plain)
        elif plain and not self._allowed:
            _refuse_url(UNENCRYPTED)
        elif not _is_name(host):
            _refuse_url(NO_NAME)


def private(address: str, port: int) -> IntegrationError:
    """Refuse a private address, and say what would allow it."""
    judged = _unwrapped(ip_address(address))
    network = f"{judged}/32" if isinstance(judged, IPv4Address) else f"[{judged}]/128"
    return IntegrationError(Failure.PRIVATE_ADDRESS, f"{SETTING}={network}:{port}", permanent=True)


def _allowed(entry: str) -> _Allowed:
    match = _WITH_PORT.fullmatch(entry)  # an IPv6 network without a port needs no brackets
    network, length, port = match.groups() if match else (entry, None, None)
    if match:
        network = network.strip("[]") + (length or "")
    try:
        return _Allowed(ip_network(network, strict=False), _port(port))
    except ValueError as error:
        message = f"{entry!r} is not CIDR[:port]"
        raise ValueError(message) from error


def _port(text: str | None) -> int | None:
    port = int(text) if text else None
    if port is not None and not 0 < port <= _LAST_PORT:
        raise ValueError(text)
    return port


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, judged as what it is."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _public(address: Address) -> bool:
    scoped = isinstance(address, IPv6Address) and address.scope_id is not None
    special = address.is_multicast or address.is_reserved or address.is_unspecified or scoped
    return address.is_global and not special and not any(address in network for network in _NOT_PUBLIC)


def _refuse_url(detail: str) -> NoReturn:
    raise IntegrationError(Failure.BAD_URL, detail, permanent=True)
