"""The wire, knowing nothing of runs.

`protocol` says what a request is and what an answer means, `retry` when to ask again, both without I/O;
`throttle` says whose turn it is; `transport` carries a request over aiohttp; `requester` puts them together.
"""
