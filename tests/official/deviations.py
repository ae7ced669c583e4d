"""Where this package's client differs from the official one on purpose: all of it.

Tests compare strictly. A difference that is not written here fails them, and so does one written here that no
longer occurs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ABSENT = "<absent>"


class _Something:
    """Equals whatever is there."""

    def __eq__(self, other: object) -> bool:
        return other != ABSENT

    __hash__ = None  # type: ignore[assignment]  # it equals too much to have one

    def __repr__(self) -> str:
        return "<something>"


SOMETHING = _Something()


class Difference(NamedTuple):
    where: str
    theirs: Any
    ours: Any


class Deviation(NamedTuple):
    difference: Difference
    because: str


def deviation(where: str, theirs: object, ours: object, because: str) -> Deviation:
    return Deviation(Difference(where, theirs, ours), because)


NO_FEATURES = {"preview": False, "matrix": False, "advanced_evaluation": False, "using_sliding_window": False}
MATRIX_OBJECT = deviation(
    "project.runs.get_confusion_matrix.object", ABSENT, "confusionMatrix", "the reference shows this attribute"
)

IN_ANSWERS = [
    MATRIX_OBJECT,
    deviation("client.list_projects[].project_id", SOMETHING, ABSENT, "its own ID is `id`, as of everything"),
    deviation("client.list_projects[].id", ABSENT, SOMETHING, "its own ID is `id`, as of everything"),
    deviation("client.list_projects[].info", ABSENT, SOMETHING, "what the request brought is kept"),
]
"""Of answers that leave nothing out."""

IN_SPARSE_ANSWERS = [
    MATRIX_OBJECT,
    deviation(
        "project.runs.get.features", None, NO_FEATURES, "absent features are off: no None to look for first"
    ),
    deviation("project.runs.get.log_ids", None, [], "no log yet is an empty list: a loop over it just works"),
]
"""Of answers that leave out all that they may."""

IN_ERRORS = [
    deviation("client.get_info.error", "BadRequestError", "AuthenticationError", "a 401 is told from a 400"),
    deviation("project.runs.start.error", "TooManyRequestsError", "RateLimitedError", "named for the limit"),
]
"""Of errors."""

IN_HEADERS = [
    deviation("User-Agent", SOMETHING, SOMETHING, "each tells its own name"),
    deviation("Connection", "keep-alive", ABSENT, "HTTP/1.1 keeps connections anyway (RFC 9112, section 9.3)"),
    deviation("Content-Length", SOMETHING, SOMETHING, "the JSON here has no white space"),
]
"""Of the headers of requests."""

HEADERS_ASIDE = {"Accept-Encoding": "what either can unpack depends on the libraries beside it"}
"""Headers that both send, and that differ in some environments only."""


def differences(theirs: Any, ours: Any, where: str) -> Iterator[Difference]:
    """Yield what differs, type by type and value by value; the items of a list share one `where`."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in [*theirs, *(ours.keys() - theirs.keys())]:
            yield from differences(theirs.get(name, ABSENT), ours.get(name, ABSENT), f"{where}.{name}".strip("."))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for one, other in zip(theirs, ours, strict=True):
            yield from differences(one, other, f"{where}[]")
    elif type(theirs) is not type(ours) or theirs != ours:
        yield Difference(where, theirs, ours)


def check(found: Iterable[Difference], deviations: Iterable[Deviation]) -> None:
    """Fail unless each difference that was found is written, and each that is written was found."""
    found, written = list(found), [deviation.difference for deviation in deviations]
    strange = [difference for difference in found if difference not in written]
    stale = [difference for difference in written if difference not in found]
    assert not strange, f"not written in deviations.py: {strange}"
    assert not stale, f"written in deviations.py, and no longer so: {stale}"
