"""Runs to be looked at: a live page, and the same page as one file.

```python
async with Dashboard(project) as dashboard:
    print(dashboard.url)
    await dashboard.wait()
```

The dashboard needs the extra `dashboard`; a report needs nothing.
"""

from nexus_async.dashboard.dashboard import Dashboard
from nexus_async.dashboard.report import ReportedRun, reported_runs, write_report

__all__ = ["Dashboard", "ReportedRun", "reported_runs", "write_report"]
