"""The options that many commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

Format = Literal["table", "json", "jsonl"]

ProjectOption = Annotated[
    str | None,
    Parameter(
        name=["--project", "-p"],
        help="The project, by its ID or name. By default that of DATATURE_PROJECT, then the default project of "
        "`login`, then the only one that the key reaches.",
    ),
]

RunName = Annotated[str, Parameter(name="RUN", help="A run: its ID, the beginning of it, or @latest.")]

PORT: Final = Parameter(validator=Number(gte=0, lte=65535))
"""Of an option that is a port; 0 takes a free one."""
COUNT: Final = Parameter(validator=Number(gte=0))
"""Of an option that is a number of things, which may be none."""
SPAN: Final = Parameter(validator=Number(gt=0))
"""Of an option that is a number of seconds, or of times."""
FLAG: Final = Parameter(negative="", show_default=False)
"""Of an option that has no value."""
SEVERAL: Final = Parameter(negative="", show_default=False)
"""Of an option that may be given several times."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a command shows what it found."""

    output: Annotated[
        Format,
        Parameter(
            name=["--output", "-o"],
            help="What standard output gets: a table (plain lines where that is no terminal), JSON, or a line "
            "of JSON each.",
        ),
    ] = "table"
    summary: Annotated[
        str | None,
        Parameter(help="Append it to this file as Markdown too, such as $GITHUB_STEP_SUMMARY."),
    ] = None


AS_TABLE: Final = Shown()
