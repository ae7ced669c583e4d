"""Proxies: given or of the environment, read once, and none where NO_PROXY says so."""

from __future__ import annotations

import asyncio
import traceback
from base64 import b64encode
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from raw_server import ANSWER, SILENCE, Step, refusing_url, serving

from nexus_async import Client, ConfigurationError, ConnectError
from nexus_async.http.proxy import proxy_of_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


HOST = "http://nexus.example"
NAMES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def behind(endpoint: str = HOST, **options: Any) -> AsyncIterator[Client]:
    async with Client("k", endpoint=endpoint, attempts=1, timeout=5, **options) as client:
        yield client


def with_password(url: str) -> str:
    return url.replace("http://", "http://me:s3cr3t-of-a-proxy@")


async def test_a_proxy_that_is_given_is_asked() -> None:
    async with serving(ANSWER) as proxy, behind(proxy=with_password(proxy.url)) as client:
        await client.get_project("p").runs.get("run_1")
        assert proxy.requests[0].startswith(b"GET http://nexus.example/projects/proj_p/runs/run_1 HTTP/1.1")
        assert b"Proxy-Authorization: Basic" in proxy.requests[0]


async def test_a_proxy_of_the_environment_is_read_once_when_the_connections_are_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(ANSWER) as proxy, behind() as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        await client.get_project("p").runs.get("run_1")
        monkeypatch.setenv("HTTP_PROXY", refusing_url())
        await client.get_project("p").runs.get("run_1")
        assert len(proxy.requests) == 2


async def test_an_empty_proxy_is_none_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", refusing_url())
    async with serving(ANSWER) as nexus, behind(nexus.url, proxy="") as client:
        await client.get_project("p").runs.get("run_1")


async def test_no_proxy_is_asked_for_a_host_that_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", refusing_url())
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    async with serving(ANSWER) as nexus, behind(nexus.url) as client:
        await client.get_project("p").runs.get("run_1")


async def test_a_proxy_that_refuses_to_connect_is_a_connect_error() -> None:
    refusal = Step(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    async with serving(refusal) as proxy, behind("https://nexus.example", proxy=proxy.url) as client:
        with pytest.raises(ConnectError, match=r"the proxy let nothing through .*407 Proxy"):
            await client.get_info()
        assert proxy.requests[0].startswith(b"CONNECT nexus.example:443")
        assert b"Secret-Key" not in proxy.requests[0]


async def test_a_proxy_that_is_not_there_is_a_connect_error_without_its_password() -> None:
    url = refusing_url()
    async with Client("k", endpoint=HOST, attempts=1, proxy=with_password(url)) as client:
        with pytest.raises(ConnectError) as caught:
            await client.get_info()
    assert "s3cr3t" not in f"{caught.value!r} {vars(caught.value)}"


@pytest.mark.parametrize("proxy", ["proxy.example:3128", "socks5://proxy.example", "http://", "http://[::1", 7])
def test_what_is_no_proxy_is_refused(proxy: Any) -> None:
    with pytest.raises(ConfigurationError, match="proxy is no URL of an HTTP proxy"):
        Client("k", proxy=proxy)


@pytest.mark.parametrize(
    ("endpoint", "name", "value"),
    [
        ("http://nexus.example", "HTTP_PROXY", "http://a.example:3128"),
        ("https://nexus.example", "https_proxy", "https://a.example"),
        ("https://nexus.example", "ALL_PROXY", "http://a.example"),
        ("http://nexus.example", "all_proxy", "a.example:3128"),
    ],
)
def test_the_environment_names_a_proxy_by_the_scheme(
    endpoint: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert proxy_of_environment(endpoint) == (value if "://" in value else f"http://{value}")


@pytest.mark.parametrize("no_proxy", ["*", "nexus.example", ".example", "other.example,nexus.example"])
def test_no_proxy_takes_hosts_and_domains(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://a.example")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_of_environment("http://nexus.example") is None


async def test_a_proxy_of_the_environment_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:s3cr3t-of-a-proxy@a.example")
    async with Client("k", endpoint=HOST) as client:
        with pytest.raises(ConfigurationError, match="the environment names for http is no URL") as caught:
            await client.get_info()
    assert "s3cr3t" not in str(caught.value)


async def test_the_password_of_a_proxy_reaches_it_as_it_is_and_the_server_behind_it_never() -> None:
    tunnel = Step(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    for endpoint, answer in ((HOST, ANSWER), ("https://nexus.example", tunnel)):
        async with serving(answer) as proxy:
            url = proxy.url.replace("http://", "http://m%40e:s3cr%3At@")
            async with behind(endpoint, proxy=url) as client:
                with suppress(ConnectError):
                    await client.get_project("p").runs.get("run_1")
            head = proxy.requests[0]
        assert head.count(b"Authorization:") == 1
        assert b"Proxy-Authorization: Basic " + b64encode(b"m@e:s3cr:t") in head


def locals_of(error: BaseException) -> str:
    stack = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    return "".join(str(frame.locals) for frame in stack if "/tests/" not in frame.filename)


@pytest.mark.parametrize("endpoint", [HOST, "https://nexus.example"])
async def test_a_call_through_a_proxy_that_is_cancelled_shows_no_password(endpoint: str) -> None:
    async with serving(SILENCE) as proxy, behind(endpoint, proxy=with_password(proxy.url)) as client:
        call = asyncio.create_task(client.get_info())
        await proxy.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
    shown = locals_of(caught.value)
    assert "127.0.0.1" in shown
    assert "s3cr3t" not in shown
    assert b64encode(b"me:s3cr3t-of-a-proxy").decode() not in shown


@pytest.mark.parametrize("proxy", ["socks5://me:s3cr3t@a.example", "http://me:s3cr3t@a.example:99999"])
def test_what_is_no_proxy_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client("k", proxy=proxy)
    assert "s3cr3t" not in f"{caught.value}{locals_of(caught.value)}"
