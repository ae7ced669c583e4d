"""What `poll` prints: the milliseconds of every way to poll, then ratios, each beside what it is to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.measure import print_table, ratio, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Measured(NamedTuple):
    """One way to poll one log."""

    log: str
    coding: str
    side: str


class Reach(NamedTuple):
    """A ratio, and what it may be at most; None where it is only told."""

    what: str
    side: Measured
    other: Measured
    limit: float | None
    digits: int = 2


NAMES = {
    "bare": "bare aiohttp, discarding",
    "bare with status": "bare aiohttp, discarding, and the status",
    "digest": "bare aiohttp into a LogReader",
    "client": "Client into a LogReader",
    "feed": "the same, paced, status every tenth poll",
    "watch": "watch, status by lists",
    "stream": "stream_logs, status every poll",
    "official": "official get_logs",
}
ENTRIES = {"1000": "1,000", "10000": "10,000", "100000": "100,000", "growing": "10,000"}


def report(taken: Mapping[Measured, list[float]]) -> None:
    print_table(
        ["side", "entries", "coding", "ms CPU a poll"],
        [
            [_name(each.side), ENTRIES[each.log], each.coding, f"{spread(costs):.3f}"]
            for each, costs in taken.items()
        ],
    )
    print()
    print_table(
        ["ratio of CPU a poll", "entries", "median [range]", "reach", ""],
        [_row(reach, taken) for reach in reaches()],
    )


def _name(side: str) -> str:
    way, colon, news = side.partition(":")
    return NAMES[way] + colon + news


def _row(reach: Reach, taken: Mapping[Measured, list[float]]) -> list[str]:
    figure = ratio(taken[reach.side], taken[reach.other])
    told = [reach.what, ENTRIES[reach.side.log], f"{figure:.{reach.digits}f}"]
    if reach.limit is None:
        return [*told, "-", ""]
    return [*told, f"{reach.limit:g}", "reached" if figure.median <= reach.limit else "missed"]


def reaches() -> Iterator[Reach]:
    """Yield what is to be reached, in the order of the table."""
    for log, limit in {"1000": 0.022, "10000": 0.010, "100000": 0.007}.items():
        yield _reach("no news: Client / official", log, ("client", "official"), limit, digits=4)
    for log in ("1000", "10000", "100000"):
        yield _reach("reading and digesting alone / bare aiohttp", log, ("digest", "bare"), 1.15)
    for log in ("1000", "10000", "100000"):
        yield _reach("the same through Client / bare aiohttp", log, ("client", "bare"))
    for log, limit in {"1000": 1.4, "10000": 1.3}.items():
        yield _reach("whole poll, paced / bare aiohttp", log, ("feed", "bare"), limit)
    for log in ("1000", "10000"):
        yield _reach("whole poll of watch / bare aiohttp", log, ("watch", "bare"))
    for log, limit in {"1000": 1.4, "10000": 1.3}.items():
        yield _reach(
            "whole poll of stream_logs / bare, and the status", log, ("stream", "bare with status"), limit
        )
    for log in ("1000", "10000"):
        yield _reach("whole poll of stream_logs / bare, log alone", log, ("stream", "bare"))
    for side, name in {"client": "Client", "stream": "stream_logs"}.items():
        yield _reach(f"1 new entry / no news: {name}", "growing", (f"{side}: 1 new", f"{side}: no news"), 1.2)
    growing = ("client: 1 new", "client: no news")
    yield _reach("1 new entry / no news: Client, gzip", "growing", growing, coding="gzip")
    yield _reach(
        "no news: Client / official, gzip", "10000", ("client", "official"), 0.006, coding="gzip", digits=4
    )


def _reach(
    what: str,
    log: str,
    sides: tuple[str, str],
    limit: float | None = None,
    *,
    coding: str = "identity",
    digits: int = 2,
) -> Reach:
    side, other = sides
    return Reach(what, Measured(log, coding, side), Measured(log, coding, other), limit, digits)
