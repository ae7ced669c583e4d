"""How far each run was handled: where it may be resumed without losing an event, without I/O."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from nexus_async.events import Checkpoint, LogEntry
from nexus_async.logs import Cursor

if TYPE_CHECKING:
    from nexus_async.events import RunEvent


class _Step:
    """One event of a run, or what a filter held back (which has no ID): handled once all before it are."""

    __slots__ = ("cursor", "event_id", "is_handled")

    def __init__(self, cursor: str, event_id: str | None) -> None:
        self.cursor = cursor
        self.event_id = event_id
        self.is_handled = event_id is None


class Handled:
    """Move each run's cursor past the events that were handled, in the order in which they were handed out.

    One that was handled before those ahead of it waits for them.
    """

    def __init__(self) -> None:
        self._steps: dict[str, deque[_Step]] = {}
        self._changed: set[str] = set()
        self.cursors: dict[str, str] = {}
        """The token of each run that something was handled of."""

    def hand_out(self, event: RunEvent) -> None:
        """Note that an event was handed out."""
        self._steps.setdefault(event.run_id, deque()).append(_Step(event.cursor, event.id))

    def pass_over(self, run_id: str, cursor: str) -> None:
        """Note that everything up to `cursor` was held back by a filter."""
        self._steps.setdefault(run_id, deque()).append(_Step(cursor, None))
        self._move(run_id)

    def ack(self, event: RunEvent) -> bool:
        """Note that an event was handled; tell whether it was to be. A second time does nothing."""
        for step in self._steps.get(event.run_id, ()):
            if step.event_id == event.id and not step.is_handled:
                step.is_handled = True
                self._move(event.run_id)
                return True
        return False

    def may_have_been(self, event: RunEvent) -> bool:
        """Tell whether an event may have been handled before, as far as can be told without remembering each."""
        if any(step.event_id == event.id for step in self._steps.get(event.run_id, ())):
            return True
        if (token := self.cursors.get(event.run_id)) is None:
            return False
        cursor = Cursor.read(token)
        if cursor.ended or cursor.removals or not isinstance(event, (Checkpoint, LogEntry)):
            return True
        position = cursor.logs.get(event.log_id)
        return position is not None and event.index < position.index

    def take_changes(self) -> dict[str, str]:
        """Return the cursors that moved since the last call."""
        changed, self._changed = self._changed, set()
        return {run_id: self.cursors[run_id] for run_id in sorted(changed)}

    def give_back(self, changes: dict[str, str]) -> None:
        """Take changes back that could not be kept."""
        self._changed.update(changes)

    def _move(self, run_id: str) -> None:
        steps = self._steps[run_id]
        while steps and steps[0].is_handled:
            self.cursors[run_id] = steps.popleft().cursor
            self._changed.add(run_id)
        if not steps:
            del self._steps[run_id]
