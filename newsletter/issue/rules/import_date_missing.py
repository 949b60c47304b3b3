"""NL904 import-date-missing: The date of publication is not known.

The source states no date, and none could be inferred: days such as “Oct 24” need the
year of the volume, which follows from `first_year` in newsletter.toml. Say it with
`--date 2023-10-31`. Nothing is written.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL904"
SEVERITY = Severity.ERROR
