"""Check rendered MJML before mjml-python sees it: balance, tags, nesting, attributes.

mjml-python gives no place for an unclosed tag, and no error at all for an
unknown tag or attribute. Here each gets a line of the rendered MJML, and, where
it can be found, the line of the template it came from. Refuses to judge HTML
and CSS beyond their balance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from newsletter.compose.mjml_tags import ANY_ATTRIBUTE, TAGS, VOID
from newsletter.issue.folder import shown

_TOKEN = re.compile(
    r"<!--.*?-->"
    r"|<(?P<end>/?)(?P<tag>[A-Za-z][\w:-]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>"
    r"|<",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"']+)(\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"']+))?")
_PIXELS = re.compile(r"\s*=\s*[\"']\s*\d+(?:\.\d+)?px(?:\s+\d+(?:\.\d+)?px){0,3}\s*[\"']")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Fault:
    """*line* counts from 1 in the rendered MJML; *word* is what to look for in the template."""

    line: int
    message: str
    word: str


@dataclass(frozen=True)
class _Open:
    tag: str
    line: int


def faults(mjml: str) -> list[Fault]:
    """Everything wrong with *mjml*, in order; nothing after a tag that is out of balance."""
    return list(_Checker(mjml).run())


class _Checker:
    def __init__(self, mjml: str) -> None:
        self.mjml = mjml
        self.open: list[_Open] = []
        self.roots = 0

    def run(self) -> Iterator[Fault]:
        control = _CONTROL.search(self.mjml)
        if control:
            name = f"U+{ord(control[0]):04X}"
            yield Fault(self._line(control.start()), f"there is a control character, {name}", "")
        at = 0
        while match := _TOKEN.search(self.mjml, at):
            yield from self._between(at, match.start())
            at = match.end()
            line = self._line(match.start())
            if match[0].startswith("<!--"):
                continue
            tag = match["tag"]
            if tag is None:
                comment = self.mjml.startswith("<!--", match.start())
                what = "comment is never closed" if comment else "< opens no tag: write &lt;, or >"
                yield Fault(line, f"this {what}", "<!--" if comment else "<")
                return
            if match["end"]:
                wrong = self._close(tag, line)
                if wrong is not None:
                    yield wrong
                    return
                continue
            yield from self._start(tag, match["rest"], line)
            if not match["rest"].endswith("/") and tag not in VOID:
                self.open.append(_Open(tag, line))
                if tag in ("mj-style", "style"):  # CSS has no tags
                    start, at = at, self._end_of(tag, at)
                    if at < len(self.mjml):
                        yield from self._css(start, at)
        yield from self._between(at, len(self.mjml))
        yield from self._end()

    def _line(self, at: int) -> int:
        return self.mjml.count("\n", 0, at) + 1

    def _end_of(self, tag: str, at: int) -> int:
        end = self.mjml.find(f"</{tag}", at)
        return len(self.mjml) if end < 0 else end

    def _between(self, start: int, end: int) -> Iterator[Fault]:
        """Words between two tags; MJML's own tags hold none."""
        words = self.mjml[start:end].strip()
        last = self.open[-1].tag if self.open else None
        if words and (last is None or (last in TAGS and not TAGS[last].content)):
            at = self.mjml.index(words[0], start)
            where = f"in <{last}>" if last else "outside <mjml>"
            first = words.split()[0]
            yield Fault(
                self._line(at), f"“{first}” stands {where}: put words into <mj-text>", first
            )

    def _css(self, start: int, end: int) -> Iterator[Fault]:
        """The balance of braces and comments; what is wrong, premailer would drop in silence."""
        css = re.sub(
            r"/\*.*?\*/",
            lambda m: re.sub(r"[^\n]", " ", m[0]),
            self.mjml[start:end],
            flags=re.DOTALL,
        )
        depth = 0
        for match in re.finditer(r"[{}<]|/\*", css):
            line = self._line(start + match.start())
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if match[0] == "<":
                yield Fault(line, "there is no < in CSS", "<")
            elif match[0] == "/*":
                yield Fault(line, "this comment is never closed", "/*")
                return
            elif depth < 0:
                yield Fault(line, "this } closes nothing", "")
                return
        if depth > 0:
            yield Fault(self._line(end), "a { in these styles is never closed", "")

    def _close(self, tag: str, line: int) -> Fault | None:
        if self.open and self.open[-1].tag == tag:
            self.open.pop()
            return None
        if not self.open:
            return Fault(line, f"</{tag}> closes nothing", f"</{tag}")
        last = self.open[-1]
        return Fault(
            line,
            f"</{tag}> comes before </{last.tag}>: <{last.tag}> is open since line {last.line}",
            f"</{tag}",
        )

    def _end(self) -> Iterator[Fault]:
        for left in reversed(self.open):
            yield Fault(left.line, f"<{left.tag}> is never closed", f"<{left.tag}")
        if not self.open and self.roots == 0:
            yield Fault(1, "there is no <mjml>", "")

    def _start(self, tag: str, rest: str, line: int) -> Iterator[Fault]:
        word = f"<{tag}"
        parent = self.open[-1].tag if self.open else None
        in_content = any(TAGS[o.tag].content for o in self.open if o.tag in TAGS)
        if tag == "mjml":
            self.roots += 1
        if not tag.startswith("mj-") and tag != "mjml":
            if not in_content:
                where = f"in <{parent}>" if parent else "outside <mjml>"
                yield Fault(line, f"<{tag}> stands {where}: put HTML into <mj-text>", word)
            return
        if tag not in TAGS:
            near = _near(tag, TAGS)
            yield Fault(
                line, f"unknown tag <{tag}>" + (f"; did you mean <{near}>?" if near else ""), word
            )
            return
        if parent != "mj-attributes" and parent not in TAGS[tag].parents | _root(tag):
            allowed = ", ".join(f"<{name}>" for name in sorted(TAGS[tag].parents)) or "the very top"
            where = f"in <{parent}>" if parent else "at the top"
            yield Fault(line, f"<{tag}> stands {where}; its place is {allowed}", word)
        yield from self._attributes(tag, rest.removesuffix("/"), line, parent == "mj-attributes")

    def _attributes(self, tag: str, rest: str, line: int, defaults: bool) -> Iterator[Fault]:
        known = TAGS[tag].attributes
        if tag in ("mj-all", "mj-class"):
            known = ANY_ATTRIBUTE | TAGS[tag].required
        seen: set[str] = set()
        for name, value in _ATTRIBUTE.findall(rest):
            if name in seen:
                yield Fault(line, f"<{tag}> has “{name}” twice", name)
            elif name not in known:
                near = _near(name, known)
                hint = f"; did you mean “{near}”?" if near else ""
                yield Fault(line, f"<{tag}> knows no attribute “{name}”{hint}", name)
            elif not re.match(r"\s*=\s*[\"']", value):
                yield Fault(line, f"“{name}” of <{tag}> has no value in quotes", name)
            elif "padding" in name and not _PIXELS.fullmatch(value):
                # mjml-python then takes the column for wider than it is, and Outlook shows it so.
                yield Fault(line, f"“{name}” of <{tag}> is not in px, as in 0px 24px", name)
            seen.add(name)
        if not defaults:
            for name in sorted(TAGS[tag].required - seen):
                yield Fault(line, f"<{tag}> needs “{name}”", f"<{tag}")


def _root(tag: str) -> frozenset[str | None]:
    return frozenset({None}) if tag == "mjml" else frozenset()


def _near(word: str, known: Iterable[str]) -> str | None:
    near = get_close_matches(word, list(known), 1)
    return near[0] if near else None


def line_of_byte(mjml: str, offset: int) -> int:
    """Line of the byte *offset*: mjml-python counts in UTF-8."""
    return mjml.encode()[:offset].count(b"\n") + 1


def template_place(templates: Path, mjml: str, fault: Fault) -> str | None:
    """File and line that *fault* came from, where exactly one line of the templates can be it."""
    lines = mjml.split("\n")
    rendered = lines[fault.line - 1].strip() if fault.line <= len(lines) else ""
    same, alike = [], []
    for path in sorted(templates.glob("email/**/*.j2")):
        if not path.is_file():
            continue
        source = path.read_text(encoding="utf-8-sig", errors="replace")
        for number, line in enumerate(source.split("\n"), start=1):
            if rendered and line.strip() == rendered:
                same.append((path, number))
            if fault.word and re.search(re.escape(fault.word) + r"(?![\w-])", line):
                alike.append((path, number))
    for found in (same, alike):
        if len(found) == 1:
            path, number = found[0]
            return f"{shown(path)}:{number}"
    return None
