"""What may befall a request: one function for each kind of fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from nexus_async.local.faults import bodies
from nexus_async.local.faults.delivery import Drop, Latency, Trickle, When, WrongLength
from nexus_async.local.faults.instead import Blackhole, Page, Redirect, Refuse, RetryAfter
from nexus_async.local.faults.logs import RewrittenLog, TruncatedLog
from nexus_async.local.faults.validators import Etag

if TYPE_CHECKING:
    from nexus_async.local.faults.behaviour import Behaviour


@dataclass(frozen=True)
class Fault:
    """Say what befalls a request; `nexus.faults.add` says which requests.

    Made by the functions below, all of which raise `InvalidArgumentError` for what makes no sense. With
    `carried_out`, the request takes effect although its answer does not say so.
    """

    behaviour: Behaviour

    @classmethod
    def refuse(cls, status: int, *, retry_after: RetryAfter | None = None, carried_out: bool = False) -> Self:
        """Refuse with a status from 400 to 599, as the API does: in JSON, with code and message.

        `retry_after` is the header's value: seconds, or text as it stands, or a `timedelta` for the date that
        lies so far ahead of the server's time.
        """
        return cls(Refuse(status, retry_after, carried_out))

    @classmethod
    def html(cls, status: int = 502, *, carried_out: bool = False) -> Self:
        """Refuse with a status from 400 to 599 as a proxy before the API does: with a page of HTML."""
        return cls(Page(status, carried_out))

    @classmethod
    def redirect(cls, to: str | None = None, *, status: int = 302) -> Self:
        """Redirect to the same path of another origin, such as "https://elsewhere.example", or to one of this."""
        return cls(Redirect(to, status))

    @classmethod
    def blackhole(cls, *, carried_out: bool = False) -> Self:
        """Never answer, until the client leaves or the server closes."""
        return cls(Blackhole(carried_out))

    @classmethod
    def latency(cls, seconds: float) -> Self:
        """Let so many seconds pass before anything else."""
        return cls(Latency(seconds))

    @classmethod
    def trickle(cls, bytes_per_second: float) -> Self:
        """Send the body as slowly as that, in up to ten pieces a second."""
        return cls(Trickle(bytes_per_second))

    @classmethod
    def drop(cls, when: When = "before") -> Self:
        """Break the connection before the request is carried out, in the middle of the answer's body, or after.

        After it is carried out means that it took effect, and nothing of the answer is sent.
        """
        return cls(Drop(when))

    @classmethod
    def wrong_length(cls, by: int = 10) -> Self:
        """Promise so many bytes more than the body has, and break the connection after it.

        Where `by` is below 0, fewer are promised, and what is over stands where the next answer should begin.
        """
        return cls(WrongLength(by))

    @classmethod
    def broken_json(cls) -> Self:
        """Answer with the first half of the body, as if it were the whole."""
        return cls(bodies.ChangedBody(bodies.broken))

    @classmethod
    def wrong_type(cls) -> Self:
        """Answer with JSON whose outermost members are of other types: text is 0, all else is "wrong"."""
        return cls(bodies.ChangedBody(bodies.mistyped))

    @classmethod
    def empty_body(cls) -> Self:
        """Answer with the right status and no body."""
        return cls(bodies.ChangedBody(bodies.empty))

    @classmethod
    def changed_body(cls, change: bodies.Change) -> Self:
        """Answer with what `change` makes of the body of a success, which is bytes."""
        return cls(bodies.ChangedBody(change))

    @classmethod
    def gzip_bomb(cls, size: int = 64_000_000) -> Self:
        """Answer with a small body that inflates to `size` bytes."""
        return cls(bodies.GzipBomb(size))

    @classmethod
    def rewritten_log(cls, first: int = 0) -> Self:
        """Answer with a log whose entries from the one of index `first` on are others: a millisecond later."""
        return cls(RewrittenLog(first))

    @classmethod
    def truncated_log(cls, keep: int = 0) -> Self:
        """Answer with the first `keep` entries of a log, as if there were no more."""
        return cls(TruncatedLog(keep))

    @classmethod
    def clock_skew(cls, seconds: float) -> Self:
        """Tell each time wrong by so many seconds: the `Date`, and every `t`, `createDate`, `updateDate`."""
        return cls(bodies.ClockSkew(seconds))

    @classmethod
    def etag(cls) -> Self:
        """Send a true `ETag`, and a 304 without a body to who has it already."""
        return cls(Etag())

    @classmethod
    def lying_etag(cls) -> Self:
        """Send an `ETag` that never changes: whoever asks with it is told that nothing is new."""
        return cls(Etag(lies=True))
