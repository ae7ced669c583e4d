"""Errors of the local server, for the scripts that drive it.

LocalNexusError
├── InvalidArgumentError    an argument of a public call is out of its range
├── InvalidSetupError       a run cannot be started with this setup
├── NotStartedError         the server does not listen yet
├── RunOverError            a run that has ended cannot end again, nor begin
├── TooManyRunsError        every run that the server may hold is active
└── UnknownIdError          no project, workflow or run has this ID
"""

from __future__ import annotations


class LocalNexusError(Exception):
    """Stand for everything that the local server refuses."""


class InvalidArgumentError(LocalNexusError, ValueError):
    """Say which argument is out of its range, and what to give instead."""


class InvalidSetupError(LocalNexusError, ValueError):
    """Say which part of a run's setup is missing or wrong."""


class NotStartedError(LocalNexusError):
    """Say that the server has to be started first."""


class RunOverError(LocalNexusError):
    """Say that a run has ended already, and how."""


class TooManyRunsError(LocalNexusError):
    """Say that no run can be forgotten to make room for another."""


class UnknownIdError(LocalNexusError, KeyError):
    """Name the ID that nothing on this server has."""

    def __str__(self) -> str:
        # KeyError would show the text quoted
        return str(self.args[0])
