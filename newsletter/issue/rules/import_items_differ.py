"""NL906 import-items-differ: Headlines and bullets cannot be paired.

A source holds the headlines as one list and their texts as a second one in the same
order, or headline and text by turns. Here the two differ in number, or cannot be told
apart. Nothing is written, for a bullet under the wrong headline is worse than none.

Wrong: six headlines and five paragraphs. Right: five and five.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL906"
SEVERITY = Severity.ERROR
