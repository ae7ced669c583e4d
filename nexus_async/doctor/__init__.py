"""Whether Nexus answers as this release expects: read-only, and told without a secret."""

from nexus_async.doctor.examination import examine
from nexus_async.doctor.report import Finding, Report, Section

__all__ = ["Finding", "Report", "Section", "examine"]
