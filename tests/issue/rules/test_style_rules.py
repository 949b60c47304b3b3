"""Style rules (NL2xx): each finds what it names, at the very words, and leaves good prose alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_probe import context_of, covered, findings, in_bullet, in_headline

from newsletter.issue.language import sentences
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Neighbour

WORD = "word "


@pytest.mark.parametrize(
    ("headline", "message"),
    [
        ("Talks " * 16, "headline of 95 characters; at most 80"),
        ("we go up to it so as to be on it by two or", "headline of 14 words"),
        ("Talks held", "headline of 2 words; at least 4"),
        ("Talks", "headline of 1 word; at least 4"),
    ],
)
def test_headline_out_of_bounds_is_measured(headline: str, message: str) -> None:
    limits = context_of(headline_max_words=13)
    (finding,) = findings("NL201", [(headline.strip(), "x")], limits)
    assert finding.message.startswith(message.partition(";")[0])


@pytest.mark.parametrize(
    ("headline", "marked"),
    [
        ("Japan and Australia sign energy pact.", ["."]),
        ("Ministers speak of “a new era.”", ["."]),
        ("Ministers meet in Tokyo;", [";"]),
        ("Ministers meet in Tokyo:", [":"]),
        ("Japan and Australia sign energy pact", []),
        ("Envoy returns to the U.S.", []),
        ("Steelmaker to buy Example Inc.", []),
        ("Will the yen fall further?", []),
        ("Ministers wait and wait …", []),
    ],
)
def test_headline_ending(headline: str, marked: list[str]) -> None:
    assert in_headline("NL202", headline) == marked


def test_a_part_counted_by_a_letter_ends_its_sentence() -> None:
    assert sentences("He bought the newer Block V. The older one stays.")[0][1] == 28
    assert len(sentences("He met J. Example and Harry S. Example there.")) == 1


def test_sentence_over_the_limit_is_marked_as_a_whole() -> None:
    long = WORD * 60 + "end."
    assert in_bullet("NL203", f"Short one. {long.capitalize()} Short again.") == [long.capitalize()]


def test_abbreviations_do_not_cut_a_long_sentence_into_short_ones() -> None:
    text = "Amb. Emanuel met Gen. Smith (R-Ind.) at the U.S. Navy pier on Sept. 3 at No. 4. " * 1
    assert len(in_bullet("NL203", text, context=context_of(sentence_max_words=15))) == 1


@pytest.mark.parametrize(
    "headline",
    [
        "Leaders Sign New Agreement on Shared Bases",
        "Japan and Australia Agree to Strengthen Trade Ties",
        "MINISTERS MEET IN TOKYO FOR TALKS",
        "ministers meet in Tokyo for talks",
        "Prime Minister Kishida Visits Washington to Discuss Trade",
    ],
)
def test_headline_in_the_wrong_case_is_found(headline: str) -> None:
    assert in_headline("NL204", headline, "They visit and discuss an agreement.") == [headline]


@pytest.mark.parametrize(
    "headline",
    [
        "Okinawa Governor Tamaki visits Washington",
        "Prime Minister Kishida, President Biden, President Yoon at Camp David",
        "State Department, Defense Department back Japan Self-Defense Forces plan",
        "Japan Air Self-Defense Force joins Red Flag Alaska",
        "US Indo-Pacific Command, Japan Joint Staff hold Keen Sword",
        "Survey: Most Japanese trust the alliance",
        "10th annual “Mt. Fuji Dialogue” convenes in Tokyo",
        "iPhone maker to build chips in Kumamoto",
        "US-Japan NEXT Alliance Initiative convenes",
        "Kishida speaks at Ocean Review Conference in New York",
        "New Japanese Defense Minister in Washington",
        "US Senate Foreign Relations Committee Chairman in Tokyo",
    ],
)
def test_sentence_case_with_many_names_is_left_alone(headline: str) -> None:
    assert in_headline("NL204", headline, "They visit Washington and discuss trade.") == []


@pytest.mark.parametrize(("count", "found"), [(44, 1), (45, 0), (150, 0), (151, 1)])
def test_bullet_length_at_its_limits(count: int, found: int) -> None:
    assert len(in_bullet("NL205", (WORD * count).strip() + ".")) == found


def test_issue_too_long_is_told_once_at_the_longest_bullet() -> None:
    bullets = [WORD * 110 + "end.", WORD * 140 + "end."] * 3
    assert in_bullet("NL206", *bullets) == [bullets[1]]


def test_issue_too_short_is_told_only_when_all_bullets_are_there() -> None:
    assert len(in_bullet("NL206", *["Short one."] * 5)) == 1
    assert in_bullet("NL206", *["Short one."] * 4) == []


@pytest.mark.parametrize(
    ("bullet", "marked"),
    [
        ("The ministers will meet again in the", ["the"]),
        ("They met in Tokyo,", ["Tokyo,"]),
        ("They met in Tokyo.", []),
        ("He called it “a good day.”", []),
        ("He called it “a good day”.", []),
        ("They met (in Tokyo.)", []),
        ("They met in Tokyo. (Harbor Press)", []),
        ("They met in Tokyo (on Monday)", ["Monday)"]),
        ("Will they meet?", []),
    ],
)
def test_bullet_ending(bullet: str, marked: list[str]) -> None:
    assert in_bullet("NL207", bullet) == marked


@pytest.mark.parametrize(
    ("bullet", "marked"),
    [
        ("She then met with met with the mayor.", ["met with"]),
        ("In the the morning they left.", ["the"]),
        ("The The ministers left.", ["The"]),
        ("They spoke on the future of on the future of trade.", ["on the future of"]),
        ("They had had no choice, knowing that that would not do.", []),
        ("Step by step, by hand and foot.", []),
        ("They went from Pago Pago to Walla Walla.", []),
        ("US-Japan Japan-US ties.", []),
        ("It rose 10 10 times.", []),
        ("He met them. Them he knew.", []),
    ],
)
def test_repeated_words(bullet: str, marked: list[str]) -> None:
    assert in_bullet("NL208", bullet) == marked


@pytest.mark.parametrize(
    ("headline", "bullet", "marked"),
    [
        ("First statement in nearly 7 years", "The statement was long awaited.", ["7"]),
        ("Economic “2+2” held in Tokyo", "The ministers met in Tokyo.", ["2+2"]),
        ("Company to invest $5.5 billion", "It will invest $5.5 million.", ["5.5 billion"]),
        ("10th dialogue convenes in Tokyo", "The ninth dialogue took place.", ["10th"]),
        ("Budget for 2024 passes Diet", "The budget for 2023 was passed.", ["2024"]),
        ("Twelve ships join the drill", "Eleven ships joined it.", ["Twelve"]),
        ("First statement in 7 years", "It is the first for seven years.", []),
        ("10th dialogue convenes", "The tenth dialogue took place.", []),
        ("3-year plan for the islands", "The three-year plan is new.", []),
        ("Economic “2+2” held in Tokyo", "The two-plus-two talks went well.", []),
        ("Some 34,000 vote in Nago", "Of 34,134 votes, 57% were his.", []),
        ("$5.5 billion for new drugs", "It will pay $5,500 million.", []),
        ("1.5 million sign petition", "One and a half, or 1.5 million, signed.", []),
        ("2½-year vacancy ends", "The post was vacant for 2.5 years.", []),
        ("Twenty-one states join", "In all 21 states joined.", []),
        ("Budget for 2024 passes Diet", "The budget for next year was passed.", []),
        ("3 countries hold air drill", "The trilateral drill took place.", []),
        ("Two leaders meet in Tokyo", "Biden met Kishida.", []),
        ("First F-35 arrives with 5G radio from G7", "It arrived.", []),
        ("Group of 7 meets in Hiroshima", "The G7 met.", []),
        ("Museum marks 9/11 anniversary", "It recalls September 11, 2001.", []),
        ("Yen at 24-year low", "It fell to a rate last seen in 1999.", []),
        ("Yen at 24-year low", "It fell to a rate last seen in 2009.", ["24"]),
        ("8 in 10 back treaty", "A poll says that 82% back it.", []),
        ("8 in 10 back treaty", "A poll says that many back it.", ["8", "10"]),
        ("Output down by 50%", "Output was down by half.", []),
    ],
)
def test_number_of_the_headline_in_its_bullet(
    headline: str, bullet: str, marked: list[str]
) -> None:
    assert covered("NL209", [(headline, bullet)]) == marked


def _neighbour(number: str, *headlines: str) -> Neighbour:
    parsed = IssueNumber.parse(number)
    return Neighbour(
        path=Path("issue.md"),
        folder=parsed.folder,
        folder_number=parsed,
        number=parsed,
        date=None,
        headlines=headlines,
    )


@pytest.mark.parametrize(
    ("headline", "earlier", "repeats"),
    [
        ("Japan names new ambassador to US", "Japan names new ambassador to US", "the same"),
        ("Japan names new ambassador to US", "JAPAN NAMES NEW AMBASSADOR TO US", "the same"),
        ("Japan names new ambassador to Korea", "New ambassador to Korea named by Japan", "nearly"),
        ("14th cyber dialogue held in Tokyo", "13th cyber dialogue held in Tokyo", None),
        ("Japan names new ambassador to China", "Japan names new ambassador to Russia", None),
        ("Ministers meet again", "Ministers meet", None),
    ],
)
def test_headline_of_an_earlier_issue(headline: str, earlier: str, repeats: str | None) -> None:
    context = context_of(neighbours=[_neighbour("2.18", earlier)])
    found = findings("NL211", [(headline, "x")], context)
    assert [f.message.startswith(repeats or "?") for f in found] == ([True] if repeats else [])


def test_headline_of_a_later_issue_is_no_repeat() -> None:
    context = context_of(neighbours=[_neighbour("2.21", "Japan names new ambassador")])
    assert findings("NL211", [("Japan names new ambassador", "x")], context) == []
