"""The training runs of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping  # noqa: TC003 - part of the public signatures
from datetime import datetime  # noqa: TC003 - part of the public signatures
from os import PathLike  # noqa: TC003 - part of the public signatures
from typing import TYPE_CHECKING, Any, Literal, overload

from nexus_async.config import BUFFER, DISCOVERY_INTERVAL, DRAIN_TIMEOUT, MAX_OUTAGE, SETTLE, positive
from nexus_async.errors import ConfigurationError, InvalidArgumentError, OutcomeUnknownError, RunFailedError
from nexus_async.events import read_checkpoint
from nexus_async.http.protocol import get, patch, path_of, post
from nexus_async.models.confusion_matrix import RunConfusionMatrix, decode_matrix
from nexus_async.models.history import RunHistory, history_of
from nexus_async.models.log import RunLogs, decode_run_logs
from nexus_async.models.run import FINISHED, Run, check_run_id, decode_run, decode_runs
from nexus_async.models.setup import RunSetup
from nexus_async.pacing import Adaptive, Pacing, check_pacing
from nexus_async.resources.feeds import feed_over
from nexus_async.resources.source import RunSource
from nexus_async.resources.starts import check_start_error, possibly_started
from nexus_async.streaming import Completions, Feed, LogStream, Shared, Store, Watchable, Window

if TYPE_CHECKING:
    import builtins

    from nexus_async.http.requester import Requester


class Runs:
    """List, get, start, kill and follow runs. Reached as `project.runs`."""

    def __init__(self, requester: Requester, project_id: str, *, shared: Shared) -> None:
        self._requester = requester
        self._path = path_of("projects", project_id, "runs")
        self._source = RunSource(requester, project_id)
        self._shared = shared

    async def list(self) -> list[Run]:
        """Return every run of the project, whatever its status."""
        return await self._requester.call(get(self._path), decode_runs)

    async def get(self, run_id: str) -> Run:
        """Return one run."""
        return await self._requester.call(get(self._path + path_of(run_id)), decode_run)

    async def kill(self, run_id: str) -> Run:
        """Kill a run, for good: it cannot be resumed, and its progress is lost."""
        return await self._requester.call(
            patch(self._path + path_of(run_id), {"status": "Cancelled"}), decode_run
        )

    async def start(self, flow_id: str, setup: RunSetup | Mapping[str, Any]) -> Run:
        """Start a run of a workflow, and return it.

        Raises `InvalidArgumentError` before anything is sent where the setup is not sound, and
        `OutcomeUnknownError` where the request may have arrived and no answer came: a start is paid for, and
        is never sent twice after it may have been received. `find_started` then looks for the run.
        """
        if not isinstance(flow_id, str) or not flow_id.strip():
            raise InvalidArgumentError(f"{flow_id!r} is no workflow's ID, such as 'flow_63d0f2d5fb1f...'")
        body = RunSetup.parse(setup).body(flow_id)
        sent_at = self._shared.clock()
        try:
            run = await self._requester.call(post(self._path, body), decode_run)
        except OutcomeUnknownError as error:
            raise OutcomeUnknownError(
                error.reason,
                project_id=self._source.project_id,
                flow_id=flow_id,
                sent_at=sent_at,
                sent_after=self._requester.server_time.at(sent_at),
            ) from error.reason
        self._shared.started.append(run.id)
        return run

    async def find_started(self, error: OutcomeUnknownError) -> builtins.list[Run]:
        """Return the runs that a start may have made of which `OutcomeUnknownError` was raised, oldest first.

        They are of the same workflow and were created since, by the server's clock, less a margin of seconds. It
        is a list, and never a guess: none means that none was made so far, and several cannot be told apart,
        where somebody else started one as well. Those whose start this client saw answered are left out. The
        error may come from another process.

        Raises `InvalidArgumentError` for an error of anything else, or of another project.
        """
        check_start_error(error, project_id=self._source.project_id)
        runs = await self.list()
        sent_after = self._requester.server_time.at(error.sent_at or 0.0)
        return possibly_started(runs, error, sent_after=sent_after, known=self._shared.started)

    async def get_logs(self, log_id: str) -> RunLogs:
        """Return the whole log so far. `run.log_ids` has the IDs."""
        return await self._requester.call(get(self._path + path_of("logs", log_id)), decode_run_logs)

    async def history(self, run_id: str) -> RunHistory:
        """Return the checkpoints of a run so far, those of all its logs, as columns."""
        run = await self.get(run_id)
        logs = [await self.get_logs(log_id) for log_id in run.log_ids]
        read = (read_checkpoint(entry) for log in logs for entry in log.logs)
        return history_of(run.id, (checkpoint for checkpoint in read if checkpoint is not None))

    async def get_confusion_matrix(self, run_id: str) -> RunConfusionMatrix:
        """Return the confusion matrices of a run, one for each evaluation."""
        return await self._requester.call(get(self._path + path_of(run_id, "confusionMatrix")), decode_matrix)

    def stream_logs(
        self,
        run_or_log_id: str,
        *,
        cursor: str | None = None,
        since: float | datetime | None = None,
        tail: int | None = None,
        follow: bool = True,
        idle_timeout: float | None = None,
        timeout: float | None = None,
        pacing: Pacing | None = None,
        settle: float = SETTLE,
        drain_timeout: float = DRAIN_TIMEOUT,
        max_outage: float = MAX_OUTAGE,
    ) -> LogStream:
        """Follow a run to its end: each checkpoint once, those already there first.

        All logs of the run are read; for the ID of a log only that one, whose run is found by one list.
        `cursor` resumes after the event that carried it. Else `since` (seconds since the Unix epoch by the
        server's clock, or an aware datetime) leaves out what is older, and `tail` all but the last so many of
        those that are there. With `follow=False` the stream ends with what is there.

        A `StreamTimeoutError` that has the cursor is raised when no checkpoint came for `idle_timeout` seconds
        of waiting, or when the run is not over `timeout` seconds after the first wait.

        `pacing` says when to poll: by default when the delay to expect of a checkpoint not yet seen is worth a
        request. After the run's end its logs are read until two snapshots `settle` seconds apart are equal, at
        most for `drain_timeout` seconds. Failures that may pass are ridden out for `max_outage` seconds, then
        `OutageError` is raised. Nothing here ever kills the run.
        """
        if cursor is not None and (since is not None or tail is not None):
            raise ConfigurationError("a cursor says where to begin: leave out since and tail beside it")
        if pacing is not None:
            check_pacing(pacing)
        return LogStream(
            self._source,
            run_or_log_id,
            cursor=cursor,
            window=Window(since=since, tail=tail),
            follow=follow,
            idle_timeout=idle_timeout,
            timeout=timeout,
            pacing=Adaptive() if pacing is None else pacing,
            settle=positive("settle", settle),
            drain_timeout=positive("drain_timeout", drain_timeout),
            max_outage=positive("max_outage", max_outage),
            shared=self._shared,
        )

    def watch(
        self,
        run_ids: Iterable[str] | None = None,
        *,
        include_ended: bool = False,
        start: Literal["earliest", "latest"] = "earliest",
        since: float | datetime | None = None,
        tail: int | None = None,
        where: Callable[[Run], bool] | None = None,
        cursors: Iterable[str] | Mapping[str, str] | None = None,
        store: Store | str | PathLike[str] | None = None,
        ack: Literal["auto", "manual"] = "auto",
        buffer: int = BUFFER,
        stop_when_all_ended: bool = False,
        caught_up: bool = False,
        pacing: Pacing | None = None,
        discovery_interval: float = DISCOVERY_INTERVAL,
        settle: float = SETTLE,
        drain_timeout: float = DRAIN_TIMEOUT,
    ) -> Feed:
        """Follow many runs in one feed: every run that is not over and every later one, or just `run_ids`.

        ```python
        async with project.runs.watch(store="state.db") as feed:
            async for event in feed:
                match event:
                    case Checkpoint(): print(event.run_id, event.step, event.metrics)
                    case RunEnded(): print(event.run_id, event.outcome)
        ```

        Which runs: `include_ended` replays those that are over as well. `where` is a function of a `Run`, asked
        whenever its status is another: a run that it does not take is not followed. With `stop_when_all_ended`
        the feed ends when no run is left to follow.

        From where: from the first entry of each log, or with `start="latest"` from what comes after the runs that
        are there; `since` (seconds since the Unix epoch by the server's clock, or an aware datetime) leaves out
        what is older, `tail` all but the last so many events of the logs that are there. None of them concerns a
        run that is resumed, by one of `cursors` (tokens of events) or by what is kept in `store`, which is a
        `Store` or the path of a `SQLiteStore`. Runs that were followed are told to their end even if they ended
        meanwhile.

        When an event counts as handled, so that its run is resumed after it: with `ack="auto"` when the next is
        asked for, and the last one where `async with` ends without an exception; with `ack="manual"` by
        `feed.ack(event)`.

        How: `buffer` events are read ahead. `pacing` says when to poll a run, by default when the delay to expect
        is worth a request; all share the client's throttle. Every `discovery_interval` seconds, or less often
        where lists are long, new runs and changes of status are looked for. `settle` and `drain_timeout` are
        those of `stream_logs`. With `caught_up`, `CaughtUp` tells that all that was there is read.

        Nothing ends a feed but its end, `stop`, a store that is lost, or the refusal of its last project. Raises
        `ConfigurationError` for what makes no sense, when it is called.
        """
        return feed_over(
            [self.watchable()],
            run_ids,
            include_ended=include_ended,
            start=start,
            since=since,
            tail=tail,
            where=where,
            cursors=cursors,
            store=store,
            ack=ack,
            buffer=buffer,
            stop_when_all_ended=stop_when_all_ended,
            caught_up=caught_up,
            pacing=pacing,
            discovery_interval=discovery_interval,
            settle=settle,
            drain_timeout=drain_timeout,
        )

    def watchable(self, label: str | None = None) -> Watchable:
        """Return what a feed over several projects takes; `label` goes on its events."""
        return Watchable(self._source, self._shared, label)

    @overload
    async def wait(self, run_id: str, *, timeout: float | None = None, raise_on_failure: bool = False) -> Run: ...

    @overload
    async def wait(
        self,
        run_id: builtins.list[str] | tuple[str, ...],
        *,
        timeout: float | None = None,
        raise_on_failure: bool = False,
    ) -> builtins.list[Run]: ...

    async def wait(
        self,
        run_id: str | builtins.list[str] | tuple[str, ...],
        *,
        timeout: float | None = None,
        raise_on_failure: bool = False,
    ) -> Run | builtins.list[Run]:
        """Wait for a run to be over, or for several: one ID gives a `Run`, several a list in their order.

        Only their status is asked for. After `timeout` seconds a `WaitTimeoutError` tells the statuses so far.
        With `raise_on_failure`, a run that is `Errored` or `Cancelled` raises `RunFailedError` as soon as it is.
        A run that is gone raises `NotFoundError`, an API that is down for long `OutageError`. Whatever happens
        here, the runs go on.
        """
        run_ids = [run_id] if isinstance(run_id, str) else list(run_id)
        ended: dict[str, Run] = {}
        async for run in self.as_completed(run_ids, timeout=timeout):
            if raise_on_failure and run.status.overview != FINISHED:
                raise RunFailedError(run_id=run.id, status=run.status.overview, message=run.status.message)
            ended[run.id] = run
        return ended[run_id] if isinstance(run_id, str) else [ended[each] for each in run_ids]

    def as_completed(self, run_ids: Iterable[str], *, timeout: float | None = None) -> Completions:
        """Yield each of several runs when it is over, soonest first.

        Only their status is asked for. `timeout` seconds after the first is asked for, a `WaitTimeoutError` tells
        the statuses of those that are still going on.
        """
        run_ids = [run_ids] if isinstance(run_ids, str) else list(run_ids)
        for each in run_ids:
            check_run_id(each)
        return Completions(
            self._source,
            run_ids,
            timeout=None if timeout is None else positive("timeout", timeout),
            shared=self._shared,
        )
