"""Where configuration comes from, and what is refused."""

from __future__ import annotations

import math

import pytest

from nexus_async.config import (
    ENDPOINT,
    USER_AGENT,
    VERSION,
    choose_endpoint,
    choose_secret_key,
    positive,
    positive_count,
)
from nexus_async.errors import ConfigurationError


def test_the_argument_wins_over_the_environment() -> None:
    assert choose_secret_key("given", {"DATATURE_SECRET_KEY": "kept"}) == "given"
    assert choose_endpoint("http://given", {"DATATURE_API_BASE_URL": "http://kept"}) == "http://given"


def test_the_environment_wins_over_the_default() -> None:
    assert choose_secret_key(None, {"DATATURE_SECRET_KEY": "kept"}) == "kept"
    assert choose_endpoint(None, {"DATATURE_API_BASE_URL": "http://kept"}) == "http://kept"


def test_the_default_endpoint_is_nexus() -> None:
    assert choose_endpoint(None, {}) == choose_endpoint(None, {"DATATURE_API_BASE_URL": ""}) == ENDPOINT


@pytest.mark.parametrize(("given", "environment"), [(None, {}), ("", {}), (None, {"DATATURE_SECRET_KEY": ""})])
def test_no_key_at_all_is_refused_with_the_ways_to_give_one(
    given: str | None, environment: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match=r"Client\(secret_key\), set DATATURE_SECRET_KEY"):
        choose_secret_key(given, environment)


@pytest.mark.parametrize("key", ["s3cr3t key", "s3cr3t\n", "s3cr3t\r\nX: y", "s3cr3té", "\ts3cr3t", 7])
def test_a_key_that_no_header_may_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="the secret key has a character") as caught:
        choose_secret_key(key, {})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://host/", "https://host"),
        ("https://host/base/path/", "https://host/base/path"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_endpoint_keeps_its_path_and_port(given: str, endpoint: str) -> None:
    assert choose_endpoint(given, {}) == endpoint


@pytest.mark.parametrize(
    "given", ["", "host", "ftp://host", "https://", "http://host:99999", "http://host:x", "file:///x"]
)
def test_what_is_no_url_of_an_api_is_refused_by_name(given: str) -> None:
    with pytest.raises(ConfigurationError, match="is no http or https URL"):
        choose_endpoint(given, {})


@pytest.mark.parametrize(
    "given",
    [
        "https://host?key=s3cr3t",
        "https://host#s3cr3t",
        "https://host/s3cr3t?",
        "https://host/s3cr3t #",
        "https://host/\\s3cr3t",
    ],
)
def test_an_endpoint_with_more_than_its_place_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(ConfigurationError, match="at host may hold") as caught:
        choose_endpoint(given, {})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("given", ["https://me:s3cr3t@host", "http://me:s3cr3t@host:x", "ftp://me:s3cr3t@host"])
def test_credentials_in_an_endpoint_are_refused_and_not_shown(given: str) -> None:
    with pytest.raises(ConfigurationError, match="holds credentials") as caught:
        choose_endpoint(given, {})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, True, "5", None])
def test_a_time_has_to_be_a_number_above_zero(value: float) -> None:
    with pytest.raises(ConfigurationError, match=r"timeout=.* is no number above zero"):
        positive("timeout", value)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "5", None])
def test_a_count_has_to_be_a_whole_number_of_one_or_more(value: int) -> None:
    with pytest.raises(ConfigurationError, match=r"attempts=.* is no whole number of 1 or more"):
        positive_count("attempts", value)


def test_the_user_agent_names_product_and_version() -> None:
    assert USER_AGENT.startswith(f"nexus-async/{VERSION} (Python/3.")
