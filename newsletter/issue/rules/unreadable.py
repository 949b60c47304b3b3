"""NL000 unreadable: The issue file is missing or cannot be read.

An issue is a folder such as `issues/vol-2-20` with a regular file `issue.md` in
it. A link that leads out of the folder is not followed.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL000"
SEVERITY = Severity.ERROR
