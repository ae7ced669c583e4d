"""Libraries that are the user's own: used where they are installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def needed(module: str, what: str) -> Any:
    """Return a module that `what` needs; raise a `ModuleNotFoundError` that names what to install without it."""
    package = module.partition(".")[0]
    try:
        import_module(package)
    except ModuleNotFoundError as absence:
        if absence.name != package:  # it is there, and lacks something itself
            raise
        message = f"{what} needs {package}, which is not installed: pip install {package}"
        raise ModuleNotFoundError(message, name=package) from None
    return import_module(module)
