"""The transport on the wire: encoding, compression, TLS, proxies, time-outs, cookies and redirects."""

from __future__ import annotations

import asyncio
import gzip
import resource
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from loopback import Say, say
from patience import scaled, tries

from resources.client.transport import AnswerTooLarge, encode_query, make_http


def get(settings, *urls: str) -> list[httpx.Response]:
    async def work() -> list[httpx.Response]:
        async with make_http(settings) as http:
            return [await http.get(url) for url in urls]

    return asyncio.run(work())


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), min_size=1, max_size=4))
def test_a_query_decodes_to_what_was_given(values: list[str]):
    params = {f"p{n}": v for n, v in enumerate(values)}
    assert parse_qs(encode_query(params), keep_blank_values=True, strict_parsing=True) == {
        k: [v] for k, v in params.items()
    }


def test_ids_are_encoded_once_on_the_wire(make_settings, scripted):
    server = scripted(lambda request, n: say({}))
    ids = [
        "@9VxW/+a=%2F",
        "@8hxdhauTCMppanGnM4ltGM780mDqPP+KPpR0qQOmLVAXb/T060zdRmYqig357zEBq6CZRp4NVe6qLIJW/V/x1w==",
        "a b&c#d?e;中~!*'()",
    ]
    get(make_settings(), *(f"{server.url}/p/?{encode_query({'item_id': i})}" for i in ids))
    for item_id, seen in zip(ids, server.seen, strict=True):
        raw = urlsplit(seen.target).query
        assert raw == encode_query({"item_id": item_id})
        assert parse_qs(raw)["item_id"] == [item_id]


@hypothesis_settings(max_examples=tries(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(item_id=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_any_id_survives_the_wire(item_id, make_settings, scripted_once):
    server = scripted_once
    get(make_settings(), f"{server.url}/p/?{encode_query({'item_id': item_id})}")
    assert parse_qs(urlsplit(server.seen[-1].target).query, keep_blank_values=True)["item_id"] == [item_id]


@pytest.fixture
def scripted_once(scripted):
    return scripted(lambda request, n: say({}))


def test_bodies_arrive_decompressed_once(make_settings, scripted):
    body = b'{"data":{"list":[' + b",".join(b'"%d"' % n for n in range(2000)) + b"]}}"
    server = scripted(lambda request, n: Say(body, zipped=True))
    (response,) = get(make_settings(), server.url)
    assert response.content == body
    assert "content-encoding" not in response.headers
    assert "gzip" in server.seen[0].headers["accept-encoding"]


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_may_have_so_many_bytes_and_not_one_more(make_settings, scripted, zipped: bool):
    server = scripted(lambda request, n: Say(b"x" * (100_000 + n), zipped=zipped))
    (response,) = get(make_settings(answer_bytes=100_000), server.url)
    assert len(response.content) == 100_000
    with pytest.raises(AnswerTooLarge, match=r"more than 100,000 bytes.*DOUYIN_ANSWER_BYTES"):
        get(make_settings(answer_bytes=100_000), server.url)


def test_a_body_without_end_is_read_no_further(make_settings, scripted):
    """300 MB in 300 kB: it is neither decompressed in memory, nor does any caller wait for it."""
    bomb = gzip.compress(bytes(300 << 20), 1)
    server = scripted(lambda request, n: Say(bomb, headers=(("Content-Encoding", "gzip"),)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AnswerTooLarge):
        get(make_settings(answer_bytes=1 << 20), server.url)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


@pytest.mark.parametrize("encoding", ["gzip, gzip", "GZIP", "unheard"])
def test_an_encoding_that_was_not_requested_is_not_decoded(make_settings, scripted, encoding: str):
    raw = gzip.compress(gzip.compress(b"{}"))
    server = scripted(lambda request, n: Say(raw, headers=(("Content-Encoding", encoding),)))
    (response,) = get(make_settings(), server.url)
    assert response.content == raw


def test_neither_redirects_nor_cookies_are_followed(make_settings, scripted):
    move = (("Location", "/other"), ("Set-Cookie", "session=1"))
    server = scripted(lambda request, n: Say(b"", status=302, headers=move))
    first, second = get(make_settings(), server.url, server.url)
    assert (first.status_code, second.status_code) == (302, 302)
    assert len(server.seen) == 2
    assert "cookie" not in server.seen[1].headers


def test_connections_are_kept(make_settings, scripted):
    server = scripted(lambda request, n: say({}))
    accepted = []
    server.answer = lambda request, n: (accepted.append(n), say({}))[1]
    get(make_settings(), *[server.url] * 5)
    assert len(accepted) == 5
    assert server.connections == 1


def test_the_time_out_covers_the_whole_response(make_settings, scripted):
    server = scripted(lambda request, n: Say(b"{}", wait_s=2))
    started = time.monotonic()
    with pytest.raises(httpx.TimeoutException):
        get(make_settings(timeout_s=0.2), server.url)
    assert time.monotonic() - started < scaled(1)


@pytest.mark.parametrize("cut_after", [0, 5, 200_000])
def test_a_cut_connection_is_a_transport_error(make_settings, scripted, cut_after):
    server = scripted(lambda request, n: Say(b"x" * 400_000, cut_after=cut_after))
    with pytest.raises(httpx.TransportError) as raised:
        get(make_settings(), f"{server.url}/?open_id=person")
    assert "person" not in str(raised.value)


def _head_never_comes(connection: socket.socket) -> None:
    connection.recv(65_536)


def _head_is_cut(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 O")


def _reset(connection: socket.socket) -> None:
    connection.recv(5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("serve", [_head_never_comes, _head_is_cut, _reset])
def test_a_cut_before_the_answer_is_not_taken_for_a_connection_that_never_was(
    make_settings, serve: Callable[[socket.socket], None]
):
    """A call that may be made only once must know: the request was sent, and may have been executed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once() -> None:
            with listener.accept()[0] as connection:
                serve(connection)

        server = threading.Thread(target=once, daemon=True)
        server.start()
        with pytest.raises(httpx.ReadError):
            get(make_settings(), f"http://127.0.0.1:{listener.getsockname()[1]}/")
        server.join(5)


def test_no_server_listens(make_settings):
    with pytest.raises(httpx.ConnectError):
        get(make_settings(), "http://127.0.0.1:1/")


def test_proxy_from_settings_and_environment(make_settings, scripted, monkeypatch):
    proxy = scripted(lambda request, n: say({"via": "proxy"}))
    target = "http://douyin.invalid/data/?a=%2F"
    (response,) = get(make_settings(proxy=proxy.url), target)
    assert response.json() == {"via": "proxy"}
    assert proxy.seen[0].target == target

    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    get(make_settings(), target)
    assert len(proxy.seen) == 2

    direct = scripted(lambda request, n: say({"via": "direct"}))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (response,) = get(make_settings(), direct.url)
    assert response.json() == {"via": "direct"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A throw-away certificate authority and a certificate of 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    home = tmp_path_factory.mktemp("tls")

    def run(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=home, check=True, capture_output=True)

    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test ca")
    run("req", *ec, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=127.0.0.1")
    (home / "ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    run(
        "x509",
        "-req",
        "-in",
        "own.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "ext",
        "-out",
        "own.pem",
    )
    return home


def test_tls_is_verified(make_settings, scripted, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "own.pem", certificate / "own.key")
    server = scripted(lambda request, n: say({"tls": True}), context=context)
    with pytest.raises(httpx.ConnectError):
        get(make_settings(), server.url)
    assert server.seen == []

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "ca.pem"))
    (response,) = get(make_settings(), server.url)
    assert response.json() == {"tls": True}


def test_https_goes_through_a_tunnel_of_the_proxy(make_settings, scripted):
    proxy = scripted(lambda request, n: Say(b"", status=403))
    with pytest.raises(httpx.TransportError):
        get(make_settings(proxy=proxy.url), "https://douyin.invalid/secret/?open_id=person")
    assert proxy.seen[0].line == "CONNECT douyin.invalid:443 HTTP/1.1"
