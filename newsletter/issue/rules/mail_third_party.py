"""NL805 mail-third-party: The e-mail would load something from another host.

Opening the mail would tell that host who reads it, when and where. A mail may load
pictures from the site of newsletter.toml, section [site], and nothing from elsewhere:
no fonts, no styles, no counting pixels.

    wrong: <mj-image src="https://cdn.example.com/logo.png" … />
    right: <mj-image src="{{ view.site_url }}/logo.png" … />
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL805"
SEVERITY = Severity.ERROR
