"""To whom the dashboard is served: under which host names, and whether beyond this machine.

A server that listens to this machine alone is safe as it is. One that is reached from elsewhere needs a login, or the
owner's word that it is open (``CXR_OPEN=yes``); one that answers to any host name lets every site that a person visits
reach it (DNS rebinding). The facts are here, without Streamlit; ``server.exposure`` fills them in, ``server.guard`` and
every page act on them::

    serving = Serving.told("0.0.0.0", login=False)
    serving.beyond, serving.serves("localhost:8501"), serving.refusal
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cxr_core.errors import ConfigError

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# These listen on every interface of the machine, as does no address at all.
EVERYWHERE = ("0.0.0.0", "::")
# What a host name or an address consists of.
NAME = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+(%[a-z0-9._-]+)?")
YES = ("yes", "true", "1")
NO = ("", "no", "false", "0")


def is_local(address: str | None) -> bool:
    """Whether only this machine reaches a server at ``address``. None and "" listen everywhere; a name is elsewhere."""
    if not address:
        return False
    bare = address.strip().strip("[]").rstrip(".").lower()
    if bare == "localhost":
        return True
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def host_name(header: str | None) -> str | None:
    """The name in a Host header, small and without port, brackets and last dot; None where it is none."""
    try:
        parts = urlsplit(f"//{header or ''}")
        name = (parts.hostname or "").rstrip(".")
        # The port raises where it is no number.
        whole = header and parts.netloc == header and parts.port != 0 and "@" not in header
    except ValueError:
        return None
    return name if whole and NAME.fullmatch(name) else None


@dataclass(frozen=True)
class Serving:
    """Where the server listens, to which names it answers, and who is let in."""

    address: str | None
    hosts: tuple[str, ...] = ()
    login: bool = False
    open: bool = False
    users: tuple[str, ...] = ()

    @classmethod
    def told(cls, address: str | None, login: bool, environment: Mapping[str, str] = os.environ) -> "Serving":
        """With what ``CXR_HOSTS``, ``CXR_OPEN`` and ``CXR_USERS`` say. Raises ConfigError where that is unclear."""
        return cls(address or None, told_hosts(environment), login, told_open(environment), told_users(environment))

    @property
    def names(self) -> frozenset[str]:
        """Host names and addresses that are served: this machine's, the address itself, and those of ``CXR_HOSTS``."""
        address = (host_name(_bracketed(self.address)) or "",) if self.address not in (None, *EVERYWHERE) else ()
        return frozenset({*LOCAL_HOSTS, *address, *self.hosts} - {""})

    @property
    def beyond(self) -> bool:
        """Whether anybody but this machine may reach it: by its address, or under a name that a proxy brings."""
        return not is_local(self.address) or not all(is_local(host) for host in self.hosts)

    def serves(self, host: str | None) -> bool:
        """Whether a request with this Host header is answered."""
        return host_name(host) in self.names

    def lets_in(self, claims: Mapping[str, object]) -> bool:
        """Whether who has logged in, with these claims of the provider, is one of ``CXR_USERS``; anybody without it."""
        if not self.users:
            return True
        email = str(claims.get("email") or "").lower()
        # An address that the provider does not vouch for is anybody's.
        name, _, domain = email.partition("@")
        if not name or "@" in domain or claims.get("email_verified") in (False, "false"):
            return False
        return email in self.users or f"@{domain}" in self.users

    @property
    def refusal(self) -> str | None:
        """Why no page is shown, and what to do; None where pages are."""
        if self.users and not self.login:
            return (
                "CXR_USERS says who may see this dashboard, but there is no login that could tell who somebody is: "
                "it is not shown. Set up a login (docs/serving.md), or start it without CXR_USERS."
            )
        if not self.beyond or self.login or self.open:
            return None
        return (
            f"This dashboard can be reached from other machines ({self._way}), and nobody has to log in: "
            "it is not shown. "
            "Set up a login (docs/serving.md), or let it listen to this machine alone "
            "(--server.address 127.0.0.1, without CXR_HOSTS). "
            "Where everybody who reaches it may see and change everything, start it with CXR_OPEN=yes."
        )

    @property
    def warning(self) -> str | None:
        """What whoever starts it, and whoever looks at it, should know; None where there is nothing."""
        if not self.beyond or self.login or not self.open:
            return None
        return (
            f"This dashboard is open: it can be reached from other machines ({self._way}) without a login. "
            "Everybody who reaches it sees and changes everything."
        )

    @property
    def _way(self) -> str:
        if is_local(self.address):
            return f"as {', '.join(host for host in self.hosts if not is_local(host))}"
        return "it listens " + ("everywhere" if self.address in (None, *EVERYWHERE) else f"at {self.address}")


def told_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names in ``CXR_HOSTS``, separated by commas."""
    hosts = []
    for entry in environment.get("CXR_HOSTS", "").split(","):
        if not (entry := entry.strip()):
            continue
        name = host_name(_bracketed(entry))
        if name is None or "*" in name or name in EVERYWHERE:
            raise ConfigError(
                f"CXR_HOSTS: expected host names or addresses separated by commas, such as xray.example.org; "
                f"got {entry!r}. Each name is written out; there is no sign for all."
            )
        hosts.append(name)
    return tuple(dict.fromkeys(hosts))


def told_users(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The e-mail addresses in ``CXR_USERS``, separated by commas; ``@example.org`` stands for all of a domain."""
    users = [entry.strip().lower() for entry in environment.get("CXR_USERS", "").split(",") if entry.strip()]
    for user in users:
        if user.count("@") != 1 or user.endswith("@") or any(sign.isspace() or sign == "*" for sign in user):
            raise ConfigError(
                "CXR_USERS: expected e-mail addresses, or @ and a domain for all of it, separated by commas; "
                f"got {user!r}."
            )
    return tuple(users)


def told_open(environment: Mapping[str, str]) -> bool:
    """What ``CXR_OPEN`` says: yes, or no where it is not set."""
    said = environment.get("CXR_OPEN", "").strip().lower()
    if said not in (*YES, *NO):
        raise ConfigError(f"CXR_OPEN: expected yes or no, got {said!r}.")
    return said in YES


def _bracketed(address: str | None) -> str:
    """An IPv6 address as a Host header has it."""
    try:
        return f"[{address}]" if ipaddress.ip_address(address or "").version == 6 else str(address)
    except ValueError:
        return address or ""
