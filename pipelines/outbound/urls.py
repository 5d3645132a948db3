"""Web addresses that tenants give us, read strictly and once: what is checked is what is connected to."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote, urlsplit

import idna

from pipelines.outbound.addresses import literal
from schemas.errors.addresses import AddressRefused

MAX_CHARS = 2048
PORTS = {"http": 80, "https": 443}

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label of this form makes resolvers read the whole as a number: 127.1, 0x7f000001, 2130706433."""

INSIDE = ("localhost", "local", "internal", "localdomain", "home.arpa", "in-addr.arpa", "ip6.arpa")
"""Names that mean a machine or a network itself, with all below them."""

PATH_SAFE = "/:@!$&'()*+,;=-._~%"
QUERY_SAFE = PATH_SAFE + "?"


@dataclass(frozen=True)
class Target:
    """Where a request goes: `host` is a name in ASCII or an address without brackets, `path` holds the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return host and port as the header `Host` names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """Return the address in its normal form."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def is_inside(self) -> bool:
        """Return whether the name itself means something that is not on the internet."""
        return any(self.host == name or self.host.endswith(f".{name}") for name in INSIDE)


def parse(url: str) -> Target:
    """Return where a web address leads. Raises AddressRefused where it is not plainly one."""
    if len(url) > MAX_CHARS:
        raise AddressRefused(f"The address has more than {MAX_CHARS} characters.")
    if re.search(r"[\x00-\x20\x7f-\xa0\\]", url):
        raise AddressRefused("The address holds blanks, control characters or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
        found = parts.hostname or ""
    except ValueError as error:
        raise AddressRefused("This is not a web address.") from error
    if parts.scheme not in PORTS:
        raise AddressRefused("The address must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise AddressRefused("The address must not hold a user name or a password.")
    if port == 0:
        raise AddressRefused("Nothing listens on port 0.")
    path = quote(parts.path or "/", safe=PATH_SAFE)
    query = f"?{quote(parts.query, safe=QUERY_SAFE)}" if parts.query else ""
    bracketed = "[" in parts.netloc or "]" in parts.netloc
    if bracketed and not re.fullmatch(r"\[[^\[\]]*\](:[0-9]*)?", parts.netloc):
        raise AddressRefused("This is not a web address.")
    return Target(parts.scheme, _host(found, bracketed), port or PORTS[parts.scheme], path + query)


def _host(found: str, bracketed: bool) -> str:
    """Return a host in the one form we use. Raises AddressRefused."""
    if bracketed:
        address = literal(found)
        if not isinstance(address, IPv6Address) or "%" in found:
            raise AddressRefused("This is not an IPv6 address.")
        return address.compressed
    if found.endswith("."):
        raise AddressRefused("The host name ends with a dot.")
    try:
        # The mapping of UTS 46 is what resolvers and browsers would do with circled digits and wide dots.
        host = idna.encode(found, uts46=True).decode().lower() if not found.isascii() else found.lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressRefused("The host name cannot be one.") from error
    labels = host.split(".")
    if NUMERIC.fullmatch(labels[-1]):
        if literal(host) is None or not found.isascii():
            raise AddressRefused("The host looks like a number and is not a usual IPv4 address.")
        return host
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("The host name cannot be one.")
    return host
