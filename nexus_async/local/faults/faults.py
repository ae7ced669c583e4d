"""The faults of a server: what was added, and what of it befalls a request."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from nexus_async.local.answers import WHOLE
from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.faults.behaviour import SKEW, Exchange
from nexus_async.local.faults.fault import Fault
from nexus_async.local.faults.routes import ANY, read_route
from nexus_async.local.faults.rule import Conditions, FaultRule, Recurring, Script, strike
from nexus_async.local.faults.text import read_fault
from nexus_async.local.identifiers import seeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nexus_async.local.clock import ServerClock
    from nexus_async.local.faults.behaviour import Behaviour, Handler
    from nexus_async.local.faults.rule import Plan


class Faults:
    """Hold what befalls requests. Reached as `nexus.faults`.

    ```python
    nexus.faults.add(Fault.refuse(503), on="get_logs", times=2)
    with nexus.faults.add(Fault.latency(0.5)):
        ...
    ```

    Where several faults strike one request, all take part: delays first, then the connection, then what answers
    in the API's place, then what changes an answer. Of two that answer in its place, the one added first does.
    """

    def __init__(self, clock: ServerClock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._rules: list[FaultRule] = []
        self._added = 0
        self._closing = asyncio.Event()

    def add(
        self,
        fault: Fault,
        *,
        on: str | Sequence[str] = ANY,
        chance: float = 1.0,
        times: int | None = None,
        every: int = 1,
        skip: int = 0,
        seconds: float | None = None,
    ) -> FaultRule:
        """Let a fault befall requests, and return the rule, which removes itself at the end of a `with`.

        `on` says which: the name of an operation (`get`, `list`, `start`, `kill`, `get_logs`,
        `get_confusion_matrix`; `workflows.delete` or `client.get_info` for what is not of runs), or a path with
        `*` for any characters, with or without a method before it (`GET /projects/*/runs`), or several of these.

        Of those, the first `skip` are spared; then it strikes `every` so many, with a `chance` from 0 to 1 that
        the server's seed decides, at most so many `times`, and for so many `seconds` of the server's clock, from
        now or from its start.

        Raises `InvalidArgumentError` for what makes no sense.
        """
        if not isinstance(fault, Fault):
            raise InvalidArgumentError(f"{fault!r} is no fault: make one, as in Fault.refuse(503)")
        when = Conditions(chance=chance, times=times, every=every, skip=skip, seconds=seconds)
        return self._recur(fault, on, when)

    def script(self, faults: Iterable[Fault | None], *, on: str | Sequence[str] = ANY) -> FaultRule:
        """Give each request the next of `faults`, where None is well; after the last, all are.

        `on` says which requests, as in `add`.
        """
        steps = tuple(faults)
        for step in steps:
            if step is not None and not isinstance(step, Fault):
                raise InvalidArgumentError(
                    f"{step!r} is no fault: make one, as in Fault.refuse(503), or give None"
                )
        return self._keep(on, Script(steps))

    def add_text(self, text: str) -> FaultRule:
        """Add a fault as the command line writes it, such as `get_logs:503:10%`.

        Raises `InvalidArgumentError` for what it cannot read, and says what there is.
        """
        reading = read_fault(text)
        return self._recur(reading.fault, reading.on, reading.conditions)

    def clear(self) -> None:
        """Remove all of them."""
        self._rules.clear()

    def attach(self, app: web.Application) -> None:
        """Stand before all else of `app`."""
        self._closing = asyncio.Event()

        @web.middleware
        async def befall(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._befall(request, handler) if self._rules else await handler(request)

        app.middlewares.insert(0, befall)
        app.on_response_prepare.append(self._skew)

    def release(self) -> None:
        """Let nothing wait any longer: the server closes."""
        self._closing.set()

    def _recur(self, fault: Fault, on: str | Sequence[str], when: Conditions) -> FaultRule:
        self._added += 1
        random = seeded(self._seed, "fault", self._added)
        begun = self._clock.now() if self._clock.is_started else None
        return self._keep(on, Recurring(fault, when, random, self._clock, begun))

    def _keep(self, on: str | Sequence[str], plan: Plan) -> FaultRule:
        routes = [read_route(each) for each in ([on] if isinstance(on, str) else on)]
        rule = FaultRule(routes, plan, self._discard)
        self._rules.append(rule)
        return rule

    def _discard(self, rule: FaultRule) -> None:
        if rule in self._rules:
            self._rules.remove(rule)

    async def _befall(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        struck = [fault.behaviour for rule in reversed(self._rules) if (fault := strike(rule, request))]
        if not struck:
            return await handler(request)
        request[WHOLE] = True
        exchange = Exchange(request, self._clock, self._closing)
        # sorting keeps the order of equals: the first added comes last of its order, and so stands outermost
        for behaviour in sorted(struck, key=lambda each: each.order):
            handler = _around(behaviour, exchange, handler)
        with suppress(ConnectionError):
            return await handler(request)
        return web.Response()  # for nobody: the client left

    async def _skew(self, request: web.Request, response: web.StreamResponse) -> None:
        if seconds := request.get(SKEW):
            response.headers["Date"] = self._clock.http_date(seconds)


def _around(behaviour: Behaviour, exchange: Exchange, handler: Handler) -> Handler:
    return lambda _: behaviour.around(exchange, handler)
