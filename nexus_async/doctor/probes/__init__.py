"""What is looked at: one file a probe, each a coroutine function from a `Case` to findings."""
