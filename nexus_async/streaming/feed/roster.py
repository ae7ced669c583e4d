"""Which runs of a project are in a feed, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nexus_async.logs import Cursor
from nexus_async.models.run import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from nexus_async.models.run import Run
    from nexus_async.streaming.feed.listing import ListedRun
    from nexus_async.streaming.feed.terms import Terms
    from nexus_async.streaming.feed.watched import WatchedRun


class Roster:
    """Decide which runs are followed.

    `run_ids` are all of them, or None for every run that is not over at the beginning and every later one.
    `cursors` are those of the project's runs that are resumed: one that is not over by its cursor is followed to
    its end, whatever its status.
    """

    def __init__(self, run_ids: Iterable[str] | None, cursors: Mapping[str, Cursor], terms: Terms) -> None:
        self.finds = run_ids is None
        """Whether every run of the project may be followed."""
        self.wanted: dict[str, None] = dict.fromkeys(run_ids or ())
        """Runs that were asked for by their IDs and are not followed yet, the next to be looked for first."""
        self.runs: dict[str, WatchedRun] = {}
        """Those that are followed."""
        self.is_open = False
        """Whether the runs that were there at the beginning are found."""
        self.backlog = 0
        """Runs that were there at the beginning and were not read yet."""
        self._terms = terms
        self._cursors = dict(cursors)
        self._seen: dict[str, tuple[str, int]] = {}
        self._aside: set[str] = set()
        self._removed: set[str] = set()
        self._removals: dict[str, int] = {}
        self._done = {run_id for run_id, cursor in cursors.items() if cursor.ended}

    @property
    def may_find(self) -> bool:
        """Tell whether a list may have a run that is to be followed: a new one, or one that fits by now."""
        return self.finds or bool(self._aside)

    def is_candidate(self, run_id: str, listed: ListedRun) -> bool:
        """Tell whether a run that is not followed should be looked at: it is new, or its status is."""
        status = listed.status, listed.status_date
        if self._is_out(run_id) or self._seen.get(run_id) == status:
            return False
        if not self.finds and run_id not in self.wanted and run_id not in self._seen:
            return False
        asked_for = run_id in self.wanted or run_id in self._cursors
        if asked_for or self.is_open or self._terms.include_ended or listed.status not in TERMINAL:
            return True
        self._seen[run_id] = status
        return False

    def takes(self, run: Run) -> bool:
        """Tell whether a run is to be followed, now that all of it is known."""
        self.unwant(run.id)
        if self._is_out(run.id) or run.id in self.runs:
            return False
        if self.fits(run):
            return True
        self._put_aside(run)
        return False

    def fits(self, run: Run) -> bool:
        """Tell whether `where` takes the run."""
        return self._terms.where is None or bool(self._terms.where(run))

    def start_of(self, run_id: str) -> Cursor:
        """Return what a run is followed from: where it was left, or its beginning."""
        return self._cursors.get(run_id) or Cursor(
            run_id,
            removals=self._removals.get(run_id, 0),
            beginning=self._terms.beginning(is_later=self.is_open),
        )

    def enter(self, run: WatchedRun) -> None:
        """Follow a run."""
        self._cursors.pop(run.run_id, None)
        self._seen.pop(run.run_id, None)
        self._aside.discard(run.run_id)
        self.runs[run.run_id] = run
        if not self.is_open:
            run.in_backlog = True
            self.backlog += 1

    def was_read(self, run: WatchedRun) -> None:
        """Note that a run was read once."""
        if run.in_backlog:
            run.in_backlog = False
            self.backlog -= 1

    def set_aside(self, run: WatchedRun, stands: Run) -> None:
        """Follow a run no more as it stands: it is taken again when its status is another and it fits."""
        if self._leave(run):
            self._cursors[run.run_id] = _left_at(run)
            self._put_aside(stands)

    def moved(self, run: WatchedRun) -> None:
        """Note how far a run was told by the poll during which it was set aside."""
        if run.run_id in self._cursors:
            self._cursors[run.run_id] = _left_at(run)

    def remove(self, run: WatchedRun) -> None:
        """Follow a run no more, unless it is asked for again."""
        if self._leave(run):
            self._removed.add(run.run_id)
            self._removals[run.run_id] = run.reader.removals + 1

    def end(self, run: WatchedRun) -> None:
        """Follow a run no more: it was told to its end, or is gone."""
        self._leave(run)
        self._done.add(run.run_id)

    def want(self, run_id: str) -> None:
        """Ask for a run by its ID, also for one that was removed."""
        self._removed.discard(run_id)
        if run_id not in self.runs and run_id not in self._done:
            self.wanted.setdefault(run_id)

    def put_last(self, run_id: str) -> None:
        """Let a run be looked at after all others."""
        if run_id in self.runs:
            self.runs[run_id] = self.runs.pop(run_id)
        elif self.unwant(run_id):
            self.wanted[run_id] = None

    def unwant(self, run_id: str) -> bool:
        """Ask for a run no more; tell whether it was asked for."""
        is_wanted = run_id in self.wanted
        self.wanted.pop(run_id, None)
        return is_wanted

    def give_up(self, run_id: str) -> bool:
        """Ask for a run no more, nor resume it: it is gone. Tell whether it was asked for."""
        self._cursors.pop(run_id, None)
        return self.unwant(run_id)

    def want_resumed(self, listed: Container[str]) -> None:
        """Ask for the runs that are to be resumed and that the list does not have."""
        for run_id in self._cursors if self.finds else ():
            if run_id not in listed and run_id not in self._done:
                self.want(run_id)

    def _is_out(self, run_id: str) -> bool:
        return run_id in self._done or run_id in self._removed

    def _put_aside(self, run: Run) -> None:
        self._seen[run.id] = run.status.overview, run.status.update_date
        self._aside.add(run.id)

    def _leave(self, run: WatchedRun) -> bool:
        self.was_read(run)
        if self.runs.get(run.run_id) is not run:
            return False
        del self.runs[run.run_id]
        return True


def _left_at(run: WatchedRun) -> Cursor:
    """Return what a run is resumed from once it is told that it is followed no more."""
    return msgspec.structs.replace(Cursor.read(run.reader.token()), removals=run.reader.removals + 1)
