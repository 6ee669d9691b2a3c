"""Who may open the page, and under which names it is reached. Tokens are shown to nobody."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from assistant.errors import SettingsError
from assistant.incident import Frozen

SHORTEST_TOKEN = 16
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,80}")
PERSON = re.compile(r"[^\s:][^:]{0,59}")

Network = IPv4Network | IPv6Network


class WebSettings(Frozen):
    """The doors of the page."""

    people: Mapping[str, str]
    """Name of a person by the digest of their token; nobody can log in where it is empty."""
    header: str = ""
    """The header in which a reverse proxy says who it is."""
    proxies: tuple[Network, ...] = ()
    """Peers whose header is believed."""
    hosts: frozenset[str] = frozenset()
    """Names by which a browser reaches the page, `name` or `name:port`; loopback always may."""

    @property
    def open(self) -> bool:
        """Whether nobody is asked who they are."""
        return not self.people and not self.header

    def trusts(self, peer: str) -> bool:
        """Whether this address is a proxy that says who somebody is."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.proxies)


def web_settings(
    environment: Mapping[str, str], tokens: Sequence[str], host: str = "127.0.0.1"
) -> WebSettings:
    """What the environment says, `tokens` being the lines of WEB_TOKEN. Raises SettingsError.

    Without a token and without a proxy's header only this machine may reach the page.
    """
    header = environment.get("WEB_IDENTITY_HEADER", "").strip()
    proxies = _networks(environment.get("WEB_TRUSTED_PROXIES", ""))
    if header and not HEADER.fullmatch(header):
        raise SettingsError(f"WEB_IDENTITY_HEADER {header!r} is no name of a header")
    if bool(header) != bool(proxies):
        raise SettingsError(
            "WEB_IDENTITY_HEADER and WEB_TRUSTED_PROXIES go together: anybody can send a header, "
            "so it is believed of the proxy's own address alone, such as 10.0.0.5 or 172.18.0.0/16"
        )
    settings = WebSettings(
        people=dict(map(_person, tokens)),
        header=header,
        proxies=proxies,
        hosts=frozenset(environment.get("WEB_HOSTS", "").lower().replace(",", " ").split()),
    )
    if settings.open and not is_loopback(host):
        raise SettingsError(
            f"{host} can be reached from other machines, and nobody would be asked who they are: set "
            "WEB_TOKEN_FILE, or WEB_IDENTITY_HEADER with WEB_TRUSTED_PROXIES, or listen on 127.0.0.1"
        )
    return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _person(line: str) -> tuple[str, str]:
    """`name: token`, or a token alone for whoever holds it."""
    name, colon, token = line.rpartition(":")
    name, token = name.strip() if colon else "token", token.strip()
    if not PERSON.fullmatch(name):
        raise SettingsError("WEB_TOKEN: a line is `token`, or `name: token` with a short name")
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(
            f"WEB_TOKEN: the token of {name!r} has fewer than {SHORTEST_TOKEN} characters and could "
            "be guessed: take one of `openssl rand -hex 24`"
        )
    return digest(token), name


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise SettingsError(f"WEB_TRUSTED_PROXIES: {error}, such as 10.0.0.5") from None
