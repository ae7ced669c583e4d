"""What the log shows, and where: each in a process of its own, whose logging nothing has touched."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nexus_async import ConfigurationError
from nexus_async.loggers import show_log

CALL = """
import asyncio, logging
from nexus_async import Client
from nexus_async.local import LocalNexus
{before}
async def main():
    async with LocalNexus() as nexus, Client(nexus.secret_key, endpoint=nexus.url) as client:
        {after}
        await client.get_info()
asyncio.run(main())
"""


def said_on_stderr(level: str, before: str = "", after: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CALL.format(before=before, after=after)],
        capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "NEXUS_ASYNC_LOG": level},
    )  # fmt: skip
    return done.stderr


def test_debug_shows_each_attempt() -> None:
    assert "DEBUG nexus_async.http: GET /workspace: 200 (attempt 1, " in said_on_stderr("debug")


def test_info_shows_no_attempt_that_went_well() -> None:
    assert said_on_stderr("info") == ""


WARNING = "logging.getLogger('nexus_async.streaming').warning('something is odd')"


@pytest.mark.parametrize(("level", "lines"), [("", 0), ("info", 1)])
def test_a_warning_is_written_for_those_alone_who_asked(level: str, lines: int) -> None:
    assert len(said_on_stderr(level, after=WARNING).splitlines()) == lines


def test_a_warning_is_for_the_handlers_of_the_user() -> None:
    assert said_on_stderr("", before="logging.basicConfig()", after=WARNING).count("something is odd") == 1


def test_the_command_line_shows_warnings() -> None:
    code = f"import logging, sys; from nexus_async.cli.app import run; run(['--version']); {WARNING}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "WARNING nexus_async.streaming: something is odd" in done.stderr


def test_the_word_may_be_in_capitals() -> None:
    assert "GET /workspace" in said_on_stderr("DEBUG")


@pytest.mark.parametrize("word", ["", " "])
def test_nothing_is_shown_where_the_variable_is_empty(word: str) -> None:
    assert said_on_stderr(word) == ""


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_configured_root_logger_gets_it_in_place_of_stderr(place: str) -> None:
    said = said_on_stderr("debug", **{place: "logging.basicConfig(format='root: %(message)s')"})
    [line] = [line for line in said.splitlines() if "GET /workspace" in line]
    assert line.startswith("root: GET /workspace: 200")


def test_a_handler_of_the_package_s_own_logger_gets_it_in_place_of_stderr() -> None:
    before = "logging.getLogger('nexus_async').addHandler(logging.StreamHandler())"
    assert said_on_stderr("debug", before=before).count("GET /workspace") == 1


def test_a_second_client_does_not_double_the_log() -> None:
    said = said_on_stderr("debug", after="Client('k'); Client('k')")
    assert said.count("GET /workspace") == 1


def test_neither_the_key_nor_a_body_is_in_the_log() -> None:
    said = said_on_stderr("debug")
    assert "local-" not in said
    assert "Local workspace" not in said


@pytest.mark.parametrize("word", ["verbose", "10", "warning"])
def test_another_word_is_refused_by_name(word: str) -> None:
    with pytest.raises(ConfigurationError, match=f"NEXUS_ASYNC_LOG='{word}' is neither debug nor info"):
        show_log({"NEXUS_ASYNC_LOG": word})


def test_the_command_line_refuses_another_word_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nexus_async", "local"],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "NEXUS_ASYNC_LOG": "loud"},
    )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "NEXUS_ASYNC_LOG='loud'" in done.stderr
