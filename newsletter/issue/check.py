"""Check an issue: parse it, run every rule, apply the waivers, build the model.

Returns all findings at once, sorted by place. Pure but for reading the issue's
folder and its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from newsletter.config import Workspace
from newsletter.diagnostics import Diagnostic, Severity, has_errors
from newsletter.errors import StorageError
from newsletter.issue.document import Document, Fault, Waiver
from newsletter.issue.folder import IssueFolder, all_issues, others
from newsletter.issue.model import Hero, Issue, Item
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Context, Finding, Neighbour, Rule, all_rules
from newsletter.issue.rules import unused_waiver as unused_waiver_rule
from newsletter.issue.source import Source, Span
from newsletter.issue.vocabulary import load_vocabulary

UNREADABLE = "NL000"
MOST_FINDINGS = 200  # of one rule in one file, those that --fix mends not counted


@dataclass(frozen=True)
class Checked:
    """*issue* is None where an error stands in the way."""

    document: Document
    diagnostics: tuple[Diagnostic, ...]
    issue: Issue | None


def check_folder(
    folder: IssueFolder,
    workspace: Workspace,
    *,
    today: date,
    find_issues: Callable[[], Sequence[Neighbour]] | None = None,
) -> Checked:
    """Check the issue in *folder* by the rules and vocabulary of *workspace*.

    *find_issues* lists the workspace's issues; whoever checks many passes one that remembers.
    """
    find = find_issues or (lambda: all_issues(workspace.issues))
    document = _read(folder)
    context = Context(
        config=workspace.config.check,
        vocabulary=load_vocabulary(workspace.root),
        folder=folder.path,
        today=today,
        first_year=workspace.config.newsletter.first_year,
        find_neighbours=lambda: others(folder, find()),
    )
    return check_document(document, context, shown_as=folder.shown)


def _read(folder: IssueFolder) -> Document:
    try:
        return folder.read()
    except StorageError as error:
        fault = Fault(UNREADABLE, Span(0, 0), error.message, error.hint, fatal=True)
        return Document(source=Source(folder.file, ""), faults=(fault,))


def check_document(
    document: Document, context: Context, *, shown_as: Callable[[Path], str] = str
) -> Checked:
    """Check *document*; never raises on content. *shown_as* turns its path into what is printed."""
    path = shown_as(document.source.path)
    rules = {rule.code: rule for rule in all_rules()}
    found = [
        (rules[fault.code], Finding(fault.span, fault.message, fault.hint))
        for fault in document.faults
    ]
    if document.readable:
        found += [
            (rule, finding)
            for rule in rules.values()
            if rule.check is not None and not (rule.waivable and rule.code in context.config.ignore)
            for finding in _first(rule.check(document, context))
        ]
        found = list(_without_waived(found, document.waivers))
    diagnostics = tuple(
        sorted(
            (_diagnostic(document, rule, finding, path) for rule, finding in found),
            key=lambda d: (d.line, d.column, d.code),
        )
    )
    issue = None if has_errors(diagnostics) or not document.readable else build(document)
    return Checked(document, diagnostics, issue)


def _first(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of one rule; of a file that is wrong throughout not every one."""
    listed = 0
    for finding in findings:
        listed += not finding.edits
        if listed == MOST_FINDINGS:
            yield replace(finding, message=f"{finding.message}; more of this kind are not listed")
            return
        yield finding


def _without_waived(
    found: Sequence[tuple[Rule, Finding]], waivers: Sequence[Waiver]
) -> Iterator[tuple[Rule, Finding]]:
    used: set[tuple[Waiver, str]] = set()
    for rule, finding in found:
        covering = [
            waiver
            for waiver in waivers
            if rule.code in waiver.codes
            and waiver.scope.start <= finding.span.start < waiver.scope.end
        ]
        severity = finding.severity or rule.severity
        if covering and severity is not Severity.ERROR:
            used.update((waiver, rule.code) for waiver in covering)
        else:
            yield rule, finding
    unused = unused_waiver_rule.findings(waivers, used)
    rule = next(rule for rule in all_rules() if rule.code == unused_waiver_rule.CODE)
    yield from ((rule, finding) for finding in unused)


def _diagnostic(document: Document, rule: Rule, finding: Finding, path: str) -> Diagnostic:
    source = document.source
    line, column = source.place(finding.span.start)
    end_line, end_column = source.place(max(finding.span.start, finding.span.end))
    return Diagnostic(
        code=rule.code,
        name=rule.name,
        severity=finding.severity or rule.severity,
        message=finding.message,
        path=path,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        hint=finding.hint,
        source_line=source.line(line),
        edits=finding.edits,
    )


def build(document: Document) -> Issue:
    """Make the model of a document that has no errors."""
    number, published = document.value("issue"), document.value("date")
    assert number is not None
    assert published is not None
    picture = document.picture
    hero = None
    if picture is not None and picture.credit is not None:
        hero = Hero(file=picture.file, alt=picture.alt.strip(), credit=picture.credit)
    return Issue(
        number=IssueNumber.parse(number.strip()),
        date=date.fromisoformat(published.strip()),
        hero=hero,
        subject=document.value("subject"),
        preheader=document.value("preheader"),
        note=document.value("note"),
        items=tuple(
            Item(
                headline=item.headline,
                bullet=item.bullet,
                sources=item.sources.prose if item.sources else None,
            )
            for item in document.items
        ),
    )
