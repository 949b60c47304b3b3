"""NL905 import-date-inferred: The date of publication was inferred.

The source states no date. The latest day that its text mentions was taken, in the year
of the volume; the year of the site footer never counts. Issues usually come out some
days after that, so correct `date:` in the issue file, or import with `--date`.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL905"
SEVERITY = Severity.WARNING
