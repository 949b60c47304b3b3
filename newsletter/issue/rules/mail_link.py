"""NL803 mail-link: A link of the e-mail would not work in a mail program.

A mail has no page that an address could be relative to. Links begin with https:// or
mailto:, or lead to an anchor within the mail that exists.

    wrong: <a href="/archive/">
    right: <a href="{{ view.site_url }}/">
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL803"
SEVERITY = Severity.ERROR
