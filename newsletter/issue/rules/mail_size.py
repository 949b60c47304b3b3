"""NL801 mail-size: The e-mail is so large that Gmail would cut off its end.

Gmail hides what comes after about 102 kB, the link to unsubscribe first of all. From
60 kB on this is a warning, from 80 kB on an error; a usual issue has some 27 kB.

    wrong: a template that styles every word for itself
    right: shorter bullets, or styles that the whole mail shares
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL801"
SEVERITY = Severity.ERROR
