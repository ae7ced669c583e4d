"""Make calls with the official client, and write what they answer.

Standard input holds `{"endpoint": ..., "key": ..., "project": ..., "calls": [[name, argument, ...], ...]}`; a
name is such as `client.get_info` or `project.runs.get`. Standard output gets the list of answers.

This runs in the official client's own environment, so that it imports that and the standard library alone.
"""

from __future__ import annotations

import json
import sys
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from datature.nexus import Client  # type: ignore[import-not-found]  # it has an environment of its own


def plain(answer: Any) -> Any:
    """Turn structs into objects of their attributes, by the names that they have in Python."""
    if isinstance(answer, list):
        return [plain(item) for item in answer]
    if hasattr(answer, "__struct_fields__"):
        return {name: plain(getattr(answer, name)) for name in answer.__struct_fields__}
    return {"project_id": answer.project_id} if hasattr(answer, "project_id") else answer


def answer_of(scope: SimpleNamespace, name: str, *arguments: Any) -> Any:
    try:
        return plain(attrgetter(name)(scope)(*arguments))
    except Exception as error:  # noqa: BLE001 - which class it is, is the answer
        return {"error": type(error).__name__}


def main() -> None:
    asked = json.load(sys.stdin)
    client = Client(asked["key"], endpoint=asked["endpoint"])
    scope = SimpleNamespace(client=client, project=client.get_project(asked["project"]))
    json.dump([answer_of(scope, *call) for call in asked["calls"]], sys.stdout)


if __name__ == "__main__":
    main()
