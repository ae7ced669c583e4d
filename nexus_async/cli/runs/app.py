"""The commands of `nexus-async runs`, each imported when it is asked for."""

from __future__ import annotations

from typing import Final

from cyclopts import App

runs = App(name="runs", help="Start, follow, compare and end training runs.", help_format="plaintext")

_HERE: Final = "nexus_async.cli.runs"

runs.command(f"{_HERE}.listing:list_runs", name="list", help="List runs, the newest first.")
runs.command(f"{_HERE}.listing:get_run", name="get", help="Show one run.")
runs.command(f"{_HERE}.starting:start", help="Start a run of a workflow.")
runs.command(f"{_HERE}.killing:kill", help="Kill runs, for good.")
runs.command(f"{_HERE}.logs:logs", help="Print what runs log.")
runs.command(f"{_HERE}.watching:watch", help="Follow runs in a live table.")
runs.command(f"{_HERE}.waiting:wait", help="Wait for runs to be over.")
runs.command(f"{_HERE}.matrix:matrix", help="Draw the last confusion matrix of a run.")
runs.command(f"{_HERE}.comparing:compare", help="Compare runs: their best, their last, how long, and with what.")
runs.command(f"{_HERE}.exporting:export", help="Write the checkpoints of runs as CSV or JSON lines.")
runs.command(f"{_HERE}.reporting:report", help="Write a page about runs into one file.")
runs.command(f"{_HERE}.recording:record", help="Record a run, for ReplayTrainer to play.")
