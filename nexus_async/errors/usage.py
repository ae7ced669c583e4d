"""What makes no sense, and is refused before anything is sent."""

from __future__ import annotations

from nexus_async.errors.root import NexusError


class ConfigurationError(NexusError):
    """Tell of a setting that makes no sense: of a client, a stream or a pacing, given or in the environment."""


class InvalidArgumentError(NexusError):
    """Tell of an ID or a setup that makes no sense, and was refused before anything was sent."""


class ClientClosedError(NexusError):
    """Tell of a call on a client that was closed."""

    def __init__(self) -> None:
        super().__init__("the client is closed: make calls inside `async with client:`, or enter it again")


class InvalidMatrixError(NexusError):
    """Tell of a confusion matrix that makes no sense; the text as received is `RunConfusionMatrix.data`."""
