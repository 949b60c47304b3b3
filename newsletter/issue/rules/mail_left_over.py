"""NL802 mail-left-over: Something that should have been replaced is left over in the e-mail.

A tag of MJML, a sign of Jinja or a slot with a misspelt name reached the mail, where
readers would see it. The fault is in a template of templates/email.

    wrong: Dear {{ slots.reader }}
    right: Dear {{ slots.name }}
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL802"
SEVERITY = Severity.ERROR
