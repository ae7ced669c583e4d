"""The official synchronous client is the judge: the same calls, the same answers, the same requests."""
