"""The secret key: what each request carries of it, and how it is asked for anew."""

from __future__ import annotations

import asyncio
import inspect
import json
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from multidict import CIMultiDict

from nexus_async.config import Secret, can_be_sent
from nexus_async.errors import SecretKeyError
from nexus_async.http.failures import is_cancelled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nexus_async.http.protocol import Request

    KeySource = Callable[[], str | Awaitable[str]]

HIDDEN = "[secret key]"
"""What stands where an answer repeats the key."""
_SHORTEST = 8
"""Characters of a key that is looked for: shorter ones, as tests have them, stand in other words too."""


class SecretKey:
    """Hold the headers of every request, with the key as it was last given.

    `source` is the key, a function that gives it, plain or asynchronous, or None for mutual TLS. A function is
    asked before the first request, and again after a 401.
    """

    def __init__(self, source: Secret | KeySource | None, *, headers: Mapping[str, str]) -> None:
        self._source = source if callable(source) else None
        self._common = dict(headers)
        self._lock: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.generation = 0
        """How often it was asked for."""
        self._changed = 0
        self._kept: tuple[Secret, ...] = ()
        self.is_missing = self._source is not None
        """Whether it has to be asked for before anything can be sent."""
        self._set(Secret() if source is None or callable(source) else source)

    def _set(self, secret: Secret) -> None:
        self.plain: CIMultiDict[str] = CIMultiDict(self._common)
        """The headers of a request without a body."""
        if secret:
            self.plain["Secret-Key"] = secret
        self.json = CIMultiDict(self.plain)
        """The headers of all others."""
        self.json["Content-Type"] = "application/json"
        self.log = CIMultiDict(self.json)
        """The headers of a request whose answer is handed on as it came."""
        self.log["Accept-Encoding"] = "gzip"  # what a sink inflates by itself
        self._kept = (secret, *self._kept[:1])
        kept = [secret for secret in self._kept if len(secret) >= _SHORTEST]
        forms = {form for secret in kept for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""))}
        self._forms = tuple(Secret(form) for form in sorted(forms, key=len, reverse=True))
        self._encoded = tuple(form.encode() for form in self._forms)

    def hidden(self, text: str) -> str:
        """Return a text without the key, or the one before it."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def hidden_in(self, body: bytes) -> bytes:
        """Return a body without the key, or the one before it."""
        for form in self._encoded:
            if form in body:
                body = body.replace(form, HIDDEN.encode())
        return body

    async def ask(self, request: Request, *, within: float, seen: int = 0) -> None:
        """Ask for the key, unless it was asked for since the generation that was `seen`.

        Raises `SecretKeyError`, which names `request`, for a function that raises, gives no key, or none `within`
        seconds.
        """
        given: Secret | str = f"gave none within {within:.3g} s"
        with suppress(TimeoutError):
            async with asyncio.timeout(within), self._alone():
                if self.generation != seen:
                    return
                given = await self._answer()
                self._take(given)
        if not isinstance(given, Secret):
            why = "the secret key was refused, and no other came" if seen else "nothing was sent"
            what = f"{why}: the function for the secret key {given}"
            raise SecretKeyError(what, method=request.method, path=request.path)

    async def renew(self, request: Request, *, seen: int, within: float) -> bool:
        """Ask for the key after a 401; tell whether it is another one than in the generation `seen`."""
        if self._source is None:
            return False
        seen = seen or 1  # what began before there was a key was sent with the first
        await self.ask(request, within=within, seen=seen)
        return self._changed > seen

    def _take(self, given: Secret | str) -> None:
        if not isinstance(given, Secret):
            return
        self.generation += 1
        self.is_missing = False
        if given != self._kept[0]:
            self._changed = self.generation
            self._set(given)

    async def _answer(self) -> Secret | str:
        """Return what the function gives, or what is wrong with it, and nothing else of it."""
        assert self._source is not None
        try:
            answer = self._source()
            if inspect.isawaitable(answer):
                answer = await answer
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            return "was cancelled"  # as by a task of its own that it waits for
        except Exception as failure:  # noqa: BLE001 - whatever it may raise
            return f"raised {type(failure).__name__}"
        if can_be_sent(answer):
            return Secret(answer)
        kind = "a text that no header may carry" if isinstance(answer, str) else type(answer).__name__
        return f"gave {kind} in place of a key"

    def _alone(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if self._lock is None or self._loop is not loop:
            self._lock, self._loop = asyncio.Lock(), loop
        return self._lock
