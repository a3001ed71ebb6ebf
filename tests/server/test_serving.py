"""To whom the dashboard is served: local addresses, host names, and when it is refused."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.errors import ConfigError
from cxr_core.server.serving import Serving, host_name, is_local


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_this_machine(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", "0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1"),
        *("xray.example.org", "localhost.example.org", "127.0.0.1.example.org", "127.1", "0", "unix://socket"),
    ],
)
def test_elsewhere(address: str | None) -> None:
    assert not is_local(address)


@given(st.ip_addresses(v=4))
def test_only_the_loopback_block_is_local(address: ipaddress.IPv4Address) -> None:
    assert is_local(str(address)) == (int(address) >> 24 == 127)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8501", "localhost"),
        ("LOCALHOST.", "localhost"),
        ("[::1]:8501", "::1"),
        ("xray.example.org", "xray.example.org"),
        ("user@localhost", None),
        ("evil.example/localhost", None),
        ("localhost\\.evil.example", None),
        ("localhost, evil.example", None),
        ("localhost:x", None),
        ("l\u043ecalhost", None),  # a Cyrillic o
        ("", None),
        (None, None),
    ],
)
def test_names_in_a_host_header(header: str | None, name: str | None) -> None:
    assert host_name(header) == name


def test_only_names_that_were_told_are_served() -> None:
    serving = Serving.told("192.168.1.5", False, {"CXR_HOSTS": " xray.example.org, 2001:db8::7,"})
    for host in ("localhost", "127.0.0.1:8501", "[::1]:8501", "192.168.1.5:8501", "XRAY.example.org", "[2001:db8::7]"):
        assert serving.serves(host), host
    for other in ("evil.example", "192.168.1.6", "a.xray.example.org", "example.org", "", None):
        assert not serving.serves(other), other
    assert not Serving.told("0.0.0.0", False, {}).serves("0.0.0.0")


@pytest.mark.parametrize("told", ["*", "*.example.org", "https://xray.example.org", "a b", "0.0.0.0"])
def test_what_is_no_host_name_is_refused_with_its_text(told: str) -> None:
    with pytest.raises(ConfigError, match="CXR_HOSTS: expected host names"):
        Serving.told("127.0.0.1", False, {"CXR_HOSTS": told})


@pytest.mark.parametrize("address", ["0.0.0.0", "", None, "::", "192.168.1.5"])
def test_beyond_this_machine_a_login_or_a_word_is_needed(address: str | None) -> None:
    assert "CXR_OPEN=yes" in (Serving.told(address, False, {}).refusal or "")
    assert Serving.told(address, True, {}).refusal is None
    assert Serving.told(address, False, {"CXR_OPEN": "yes"}).refusal is None
    assert Serving.told(address, False, {"CXR_OPEN": "no"}).refusal


def test_a_name_that_a_proxy_brings_is_beyond_this_machine() -> None:
    assert Serving.told("127.0.0.1", False, {}).refusal is None
    assert Serving.told("127.0.0.1", False, {"CXR_HOSTS": "localhost"}).refusal is None
    refusal = Serving.told("127.0.0.1", False, {"CXR_HOSTS": "xray.example.org"}).refusal
    assert refusal is not None
    assert "xray.example.org" in refusal


def test_users_without_a_login_are_not_taken_for_one() -> None:
    told = {"CXR_USERS": "clara@example.org", "CXR_OPEN": "yes"}
    assert "no login" in (Serving.told("127.0.0.1", False, told).refusal or "")
    assert Serving.told("127.0.0.1", True, told).refusal is None


@pytest.mark.parametrize(
    ("claims", "let_in"),
    [
        ({"email": "clara@example.org", "email_verified": True}, True),
        ({"email": "clara@example.org"}, True),
        ({"email": "Clara@Example.ORG"}, True),
        ({"email": "clara@example.org", "email_verified": False}, False),
        ({"email": "clara@example.org", "email_verified": "false"}, False),
        ({"email": "dan@hospital.example"}, True),
        ({"email": "dan@x.hospital.example"}, False),
        ({"email": "@hospital.example"}, False),
        ({"email": "x@y@hospital.example"}, False),
        ({"email": None}, False),
        ({}, False),
    ],
)
def test_users_are_known_by_a_verified_address(claims: dict[str, object], let_in: bool) -> None:
    serving = Serving.told("0.0.0.0", True, {"CXR_USERS": "clara@example.org, @hospital.example"})
    assert serving.lets_in(claims) == let_in
    assert Serving.told("0.0.0.0", True, {}).lets_in(claims)


def test_an_unclear_word_is_no_word() -> None:
    with pytest.raises(ConfigError, match="CXR_OPEN: expected yes or no"):
        Serving.told("0.0.0.0", False, {"CXR_OPEN": "maybe"})
