"""Which web addresses are refused by their form, and which addresses of the net are inside."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import outbound
from pipelines.outbound.addresses import Allowed, is_public
from pipelines.outbound.urls import parse
from schemas.errors.addresses import AddressRefused
from schemas.errors.work import CannotStart

REFUSED = [
    *("", " ", "example.com", "//example.com", "http:", "http://", "http:///path", "https://?q", "http:example.com"),
    *("file:///etc/passwd", "gopher://example.com/", "ftp://example.com", "ws://example.com", "javascript:alert(1)"),
    *("http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://017700000001/", "http://0/"),
    *("http://127.0.0.0x1/", "http://1.2.3/", "http://1.2.3.4.5/", "http://256.1.1.1/", "http://01.2.3.4/"),
    *("http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/", "http://a@b@example.com"),
    *("http://example.com@127.0.0.1/", "http://127.0.0.1\\@example.com/", "http://example.com\\.evil.test/"),
    *("http://example.com./", "http://127.0.0.1./", "http://localhost./", "http://.example.com/", "http://a..b/"),
    *(
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://１２７.0.0.1/",
        "http://loc\u00adalhost\u200d/",
        "http://ａ．ｂ．/",
    ),
    *("http://exa mple.com/", "http://example.com/\r\nX: 1", "http://example.com/\x00", "http://example.com\t/"),
    *("http://[::1", "http://::1/", "http://[fe80::1%25eth0]/", "http://[127.0.0.1]/", "http://[::1].example.com/"),
    *("http://[v1.a]/", "http://example.com:0/", "http://example.com:99999/", "http://example.com:port/"),
    *("http://example.com:-1/", "http://exa%6dple.com/", "http://-a.com/", "http://a-.com/", "http://a,b.com/"),
    "http://" + "a" * 64 + ".com/",
    "http://" + ".".join(["a" * 60] * 5) + "/",
    "http://example.com/" + "a" * 2048,
]

INSIDE = [
    *("http://localhost/", "http://LOCALHOST:8000/", "http://a.localhost/", "http://printer.local/"),
    *("http://metadata.google.internal/computeMetadata/v1/", "http://ⓛocalhost/", "http://router.home.arpa"),
]

PRIVATE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "100.100.100.200", "168.63.129.16"),
    *("192.0.0.192", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8"),
    *("fe80::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1", "100::1", "5f00::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2002:808:808::"),
    *("2001::1", "2001:0:7f00:1::", "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "4000::1"),
]

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111"]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_plainly_a_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        parse(url)


@pytest.mark.parametrize("url", INSIDE)
def test_names_of_the_inside_are_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(AddressRefused):
        outbound.vetted(url, Allowed())


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_on_the_internet_are_inside(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not Allowed().takes(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_on_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Example.COM", "https://example.com/"),
        ("https://example.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("http://example.com:8080/ä b".replace(" ", "%20"), "http://example.com:8080/%C3%A4%20b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://a_b.example/", "https://a_b.example/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:0::1111]:81/", "http://[2606:4700::1111]:81/"),
    ],
)
def test_usual_addresses_are_read(url: str, normal: str) -> None:
    assert parse(url).text == normal
    assert parse(normal).text == normal


@given(st.text(alphabet="htps:/@[].%#?\\0127.1abé①。\r\n xn-", max_size=60))
def test_reading_an_address_ends_in_one_or_in_a_refusal(rest: str) -> None:
    try:
        target = parse(f"http://{rest}")
    except AddressRefused:
        return
    assert parse(target.text) == target, "what was understood is understood again"
    assert not set(target.host) & set("@/\\?# %") and target.path.startswith("/") and target.path.isascii()


def test_an_operator_allows_places_and_networks() -> None:
    allowed = Allowed.parse(("10.1.0.0/16", "127.0.0.1:9000", "[fd00::7]:80", "CRM.corp:8443", "fd01::/16"))
    assert allowed.takes(ip_address("10.1.2.3")) and not allowed.takes(ip_address("10.2.0.1"))
    assert allowed.takes(ip_address("fd01::1")) and not allowed.takes(ip_address("::ffff:10.1.2.3"))
    assert allowed.names("crm.corp", 8443) and not allowed.names("crm.corp", 443)
    assert allowed.names("fd00::7", 80) and allowed.names("127.0.0.1", 9000)
    assert not allowed.takes(ip_address("127.0.0.1"))


@pytest.mark.parametrize(
    "entry", ["localhost", "10.1.0.0/33", "crm.corp:", ":80", "crm.corp:0", "crm:99999", "10.1.2.3/8"]
)
def test_what_an_operator_mistypes_stops_the_start(entry: str) -> None:
    with pytest.raises(CannotStart, match="AURA_OUTBOUND_ALLOW"):
        Allowed.parse((entry,))
