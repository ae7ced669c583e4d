"""The asyncio SDK for training runs on Datature Nexus, with log streaming.

The public names (see `_public`) are imported when the first of them is asked for. The package itself costs
nothing that way, which matters because every pytest in the same environment loads its plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nexus_async._public import *  # noqa: F403 - what checkers and editors see
    from nexus_async._public import __all__ as __all__, __version__ as __version__
else:

    def __getattr__(name: str) -> Any:
        if name.startswith("_") and name not in {"__all__", "__version__"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        names = vars(import_module("nexus_async._public"))
        if name == "__all__" or name in names["__all__"]:
            value = globals()[name] = names[name]
            return value
        if name in globals():  # a module of the package, which the import has set here
            return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *import_module("nexus_async._public").__all__})
