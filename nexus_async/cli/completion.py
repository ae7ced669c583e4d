"""`nexus-async completion`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from nexus_async.cli.console import write_line


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(name="SHELL")], /
) -> None:
    """Print the script that completes words in a shell.

    Such as:

      nexus-async completion bash > ~/.local/share/bash-completion/completions/nexus-async
      nexus-async completion zsh > "${fpath[1]}/_nexus-async"
      nexus-async completion fish > ~/.config/fish/completions/nexus-async.fish
    """
    from nexus_async.cli.app import app  # noqa: PLC0415 - which has this command

    write_line(app.generate_completion(shell=shell).rstrip("\n"))
