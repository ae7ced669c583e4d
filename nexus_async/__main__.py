"""The command line: `nexus-async`, or `python -m nexus_async`."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> int:
    """Run the command line, and return its exit code."""
    missing = [name for name in ("cyclopts", "rich", "yaml") if find_spec(name) is None]
    if missing:
        print(  # noqa: T201 - there is no console yet
            f"nexus-async: the command line needs {', '.join(missing)}: "
            "install the package with its extra, as in pip install '.[cli]' in a clone",
            file=sys.stderr,
        )
        return 1
    try:
        from nexus_async.cli.app import run  # noqa: PLC0415 - needs the extra
    except KeyboardInterrupt:
        return 130
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
