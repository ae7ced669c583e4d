"""What a client cannot be made with is refused when it is made, in words that help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import Client, ConfigurationError, InvalidArgumentError, Throttle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATATURE_SECRET_KEY", raising=False)
    monkeypatch.delenv("DATATURE_API_BASE_URL", raising=False)


def test_a_client_without_a_key_is_refused_with_the_ways_to_give_one() -> None:
    with pytest.raises(ConfigurationError, match=r"DATATURE_SECRET_KEY.*certificate_file"):
        Client()


@pytest.mark.parametrize("key", ["", " ", "a b", "key\n", "key\r\nX-Header: 1", "clé", "\x00", 5, b"key"])
def test_a_key_that_no_header_may_carry_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(key)
    assert "secret key" in str(caught.value)
    assert not str(key).strip() or str(key) not in str(caught.value)


def test_an_empty_key_is_not_replaced_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", "of-the-environment")
    with pytest.raises(ConfigurationError):
        Client("")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "nexus",
        "ftp://nexus.example",
        "//nexus.example",
        "http://",
        "http://a:0",
        "http://a:99999",
        "http://a:b",
    ],
)
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="no http or https URL"):
        Client("k", endpoint=endpoint)


@pytest.mark.parametrize("rest", ["?a=1", "#part"])
def test_an_endpoint_with_more_than_a_path_is_refused(rest: str) -> None:
    with pytest.raises(ConfigurationError, match="and nothing else"):
        Client("k", endpoint=f"https://nexus.example/{rest}")


def test_the_credentials_of_an_endpoint_are_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client("k", endpoint="https://ada:hunter2@nexus.example")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "read_timeout", "retry_after_cap"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "5", None, True])
def test_a_number_of_seconds_that_makes_no_sense_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}="):
        Client("k", **{name: value})  # type: ignore[arg-type]  # what the test is about


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", None, True])
def test_a_count_that_makes_no_sense_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^attempts="):
        Client("k", attempts=value)


@pytest.mark.parametrize("name", ["requests_per_second", "max_in_flight", "bytes_per_second"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), "3", True])
def test_a_limit_that_makes_no_sense_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}="):
        Client("k", **{name: value})  # type: ignore[arg-type]  # what the test is about


@pytest.mark.parametrize("name", ["requests_per_second", "max_in_flight", "bytes_per_second"])
def test_a_throttle_beside_a_limit_of_its_own_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"either a throttle or {name}=5: Throttle\({name}=5\)"):
        Client("k", throttle=Throttle(), **{name: 5})  # type: ignore[arg-type]  # a name in a mapping


@pytest.mark.parametrize(
    ("given", "missing"), [("certificate_file", "private_key_file"), ("private_key_file", "certificate_file")]
)
def test_half_of_a_certificate_is_refused(given: str, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{missing} is missing"):
        Client(**{given: "half.pem"})  # type: ignore[arg-type]  # a path in a mapping


def test_a_key_beside_a_certificate_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        Client("k", certificate_file="a.pem", private_key_file="b.pem")


def test_authorities_that_cannot_be_read_are_refused_with_their_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        Client("k", ca_file=tmp_path / "none.pem")


def test_a_certificate_that_is_none_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "garbage.pem").write_text("garbage")
    with pytest.raises(ConfigurationError, match=r"garbage\.pem"):
        Client(certificate_file=tmp_path / "garbage.pem", private_key_file=tmp_path / "garbage.pem")


@pytest.mark.parametrize("project_id", ["", "  ", None, 7])
def test_a_project_without_an_id_is_refused(project_id: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="no project's ID"):
        Client("k").get_project(project_id)


@pytest.mark.parametrize("run_id", ["", ".", "..", " ", None, 7])
async def test_a_run_without_an_id_is_refused_before_anything_is_sent(run_id: Any) -> None:
    async with Client("k", endpoint="http://127.0.0.1:9").get_project("p") as project:
        for call in (project.runs.get, project.runs.kill, project.runs.get_logs, project.workflows.delete):
            with pytest.raises(InvalidArgumentError, match="is no ID"):
                await call(run_id)
