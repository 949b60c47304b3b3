"""Vocabulary and consistency rules (NL3xx): what they find, where, and what they leave alone."""

from __future__ import annotations

import pytest
from rule_probe import context_of, covered, findings, in_bullet, issue_text

from newsletter.diagnostics import Severity
from newsletter.issue.vocabulary import Vocabulary

PEOPLE = Vocabulary(
    people=frozenset(
        {
            "Vladimir Putin", "Fumio Kishida", "Rahm Emanuel", "Emmanuel Macron", "Joe Biden",
            "Todd Young", "Marco Rubio", "Tom Price", "Mark Milley", "Kazuyuki Yamazaki",
            "Shigeo Yamada", "JD Vance", "Charles Brown", "Mitch McConnell",
        }
    ),
    names=frozenset({"Kishido"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("bullet", "marked"),
    [
        ("He praised Russia’s Valdimir Putin.", ["Valdimir"]),
        ("Prime Minister Kishdia left.", ["Kishdia"]),
        ("In Tokyo, Kishda’s cabinet met.", ["Kishda"]),
        ("Kishidda said so. Later Kishidda left.", ["Kishidda"]),
        ("Ambassador Rahm Emmanuel spoke.", ["Emmanuel"]),
        ("They met President Bidne there.", ["Bidne"]),
        ("Amb. Emanule spoke.", ["Emanule"]),
        ("Envoys met Kazuyuki Yamasaki there.", ["Yamasaki"]),
        # right as they are
        ("Vladimir Putin, Fumio Kishida’s guest, met Emmanuel Macron.", []),
        ("The Bidens and the Kishidas dined.", []),
        ("Kishido is a word of the list.", []),
        ("In March, the Prince of Peace and the Young won.", []),
        ("The actor Takuya Yamasaki came; Yamasaki sang.", []),
        ("General Mike Miller spoke; Miller left.", []),
        ("The kishda is a bird.", []),
        ("KISHDIA is no name in capitals.", []),
        ("Fighters landed on the Kishada, a ship.", []),
        ("The Kishdia cabinet fell.", ["Kishdia"]),
        ("Ambassador Emmanuel spoke.", ["Emmanuel"]),
        ("Emmanuel spoke to Ambassador Emanuel.", []),
        ("Senator Mitch McConnel spoke.", ["McConnel"]),
        ("Envoys met Kazuyiki Yamasaki there.", ["Kazuyiki", "Yamasaki"]),
        ("It happened in Tokyo. Kishdia left.", ["Kishdia"]),
    ],
)
def test_near_miss_of_a_listed_name(bullet: str, marked: list[str]) -> None:
    assert in_bullet("NL301", bullet, context=context_of(PEOPLE)) == marked


def test_without_a_list_of_people_no_name_is_doubted() -> None:
    assert in_bullet("NL301", "Valdimir Putin", context=context_of(Vocabulary())) == []


@pytest.mark.parametrize(
    ("bullet", "marked"),
    [
        ("Officials of METI met.", ["METI"]),
        ("The Republic of Korea sent a note at the ROK-US summit.", ["ROK"]),
        ("The LDP met. The Liberal Democratic Party (LDP) is old.", ["LDP"]),
        ("Several UAVs flew.", ["UAVs"]),
        ("The Nuclear Non-Proliferation Treaty (NPT) holds; the NPT is old.", []),
        ("NPT (Nuclear Non-Proliferation Treaty) members met.", []),
        ("The International Atomic Energy Agency, or IAEA, met. IAEA staff stayed.", []),
        ("Unmanned aerial vehicles (UAVs) flew; a UAV fell.", []),
        ("The US, the UN, NATO and ASEAN met in DC.", []),
        ("An MQ-9, a PAC-3 and a B-52 with an APY-9 flew.", []),
        ("Todd Young (R-Ind) and AOC’s friend (D-NY) came.", ["AOC"]),
        ("Chapters II, XIV and VII of it.", []),
        ("It is made in Liberty, NC, and shipped.", []),
        ("JD Vance and CQ Brown spoke.", []),
        ("COVID-19 and AT&T and R&D came up.", []),
        ("THE WHOLE BULLET OF ABC IS LOUD.", []),
        ("Harbor Power Co. (HARPO) pays; HARPO must.", []),
        ("A sea-launched cruise missile (SLCM-N) is out.", []),
        ("The SM-3 Block IIA and cases of BA.5 came up.", []),
        ("Troops joined ORIENT SHIELD last week.", []),
        ("Minister KISHIDA Fumio spoke.", []),
    ],
)
def test_acronym_without_explanation(bullet: str, marked: list[str]) -> None:
    context = context_of(
        Vocabulary(people=PEOPLE.people, acronyms=frozenset({"ASEAN", "NATO", "COVID"}))
    )
    assert in_bullet("NL302", bullet, context=context) == marked


def test_hint_names_the_phrase_that_stands_in_the_text() -> None:
    (finding,) = findings("NL302", [("News", "The Republic of Korea met. The ROK left.")])
    assert "Republic of Korea (ROK)" in (finding.hint or "")


def test_hint_knows_names_that_begin_with_initials() -> None:
    (finding,) = findings("NL302", [("News", "The UN General Assembly met. UNGA week ended.")])
    assert "UN General Assembly (UNGA)" in (finding.hint or "")


def test_full_name_in_its_bullet_explains_the_acronym_of_a_headline() -> None:
    bullet = "Five missiles fell into the exclusive economic zone of Japan."
    assert covered("NL302", [("Missiles fall into EEZ", bullet)]) == []
    assert covered("NL302", [("Missiles fall into EEZ", "Five fell there.")]) == ["EEZ"]


def test_headline_may_use_an_acronym_that_its_bullet_explains() -> None:
    pairs = [
        ("CDP picks leader", "The Constitutional Democratic Party (CDP) chose. The CDP cheered.")
    ]
    assert covered("NL302", pairs) == []
    assert covered("NL302", [("CDP picks leader", "The party chose.")]) == ["CDP"]


@pytest.mark.parametrize(
    ("bullet", "marked"),
    [
        ("Antibody drug conjugates (ADC) work.", ["ADC"]),
        ("The Consultative Committee (EPCC) met.", ["EPCC"]),
        ("The Consultative Committee (EPCC) met. The EPCC left.", []),
        ("The North Atlantic Treaty Organization (NATO) met.", []),
        ("The carmaker JKLM (Jolly Kind Little Motors) left.", []),
        ("Todd Young (R-Ind) and a friend (D-NY) came.", []),
    ],
)
def test_acronym_introduced_and_dropped(bullet: str, marked: list[str]) -> None:
    assert in_bullet("NL303", bullet) == marked


def test_acronym_used_in_another_item_is_used() -> None:
    assert in_bullet("NL303", "The Consultative Committee (EPCC) met.", "EPCC is back.") == []


CONSISTENCY = [
    # date-style
    ("NL304", "On Sept 18 and September 27.", ["September 27"]),
    ("NL304", "On Oct. 3, Oct. 4 and Oct 5.", ["Oct 5"]),
    ("NL304", "On March 6, March 7 and 8 March.", ["8 March"]),
    ("NL304", "On March 6 and March 7th.", ["March 7th"]),
    ("NL304", "On Sept 18 and March 6, and in September 2023.", []),
    ("NL304", "On Oct 24; in August and November; Sept 1–3.", []),
    ("NL304", "It may 5 times out of 10 March on.", []),
    # abbreviation-form
    ("NL305", "The Mt. Fuji talks and the Mount Fuji Dialogue.", ["Mount Fuji"]),
    ("NL305", "Sen. Young spoke. Senator Young left.", ["Senator Young"]),
    ("NL305", "Sen. Young spoke. Sen Young’s aide left.", ["Sen Young’s"]),
    ("NL305", "Ambassador Rahm Emanuel came. Amb. Emanuel left.", []),
    ("NL305", "Mt. Fuji and Mount Aso.", []),
    # adjective-form
    ("NL306", "Okinawa Governor Tamaki and the Okinawan governor.", ["Okinawan governor"]),
    (
        "NL306",
        "Japan officials met; Japanese officials left; Japanese officials.",
        ["Japan officials"],
    ),
    ("NL306", "A China policy, and the Chinese policy.", []),
    ("NL306", "US-Japan officials and Japanese officials.", []),
    ("NL306", "Bank of Japan officials and Japanese officials.", []),
    # compound-form
    ("NL307", "A vice-ministerial meeting, the vice ministerial.", ["vice ministerial"]),
    ("NL307", "The drug makers and a drugmaker.", ["drugmaker"]),
    ("NL307", "On air-power and airpower.", ["airpower"]),
    ("NL307", "In mid-October, not mid October.", ["mid October"]),
    ("NL307", "A director-general and a director general.", ["director general"]),
    ("NL307", "A high-level visit at a high level.", []),
    ("NL307", "In the long term, a long-term plan.", []),
    ("NL307", "A long-delayed visit was long delayed.", []),
    ("NL307", "They set up a set-up, and it may be that maybe any one is anyone.", []),
    ("NL307", "To re-sign is not to resign.", []),
    ("NL307", "A year long and a yearlong stay; a long time, a longtime friend.", []),
    ("NL307", "On a semi-conductor and a semiconductor.", []),  # terms.toml has it: NL313
    ("NL307", "The US-Japan talks of US Japan hands.", []),
    # mixed-numbers
    ("NL308", "A 4-day workshop of nearly forty people.", ["4"]),
    ("NL308", "After 3 days and then four days.", ["3"]),
    ("NL308", "A four-day workshop of 40 people; 90 minutes.", []),
    ("NL308", "Forty people came for 40 days.", []),
    ("NL308", "A 3-year-old child, 5% of $6 million, and forty days.", []),
    ("NL308", "With 3 other countries and four nations.", ["3"]),
    ("NL308", "A three-way call after a 3-year pause.", []),
    ("NL308", "Only 1 in 6 students came from four states.", []),
    ("NL308", "They met in 3 countries for four days.", ["3"]),
    ("NL308", "He sold Type 3 missiles to four countries.", []),
    ("NL308", "The 2+2 met on March 6 for three days.", []),
    # unit-space
    ("NL309", "A range of 2,500km and 30mph.", ["2,500km", "30mph"]),
    ("NL309", "A 2nm chip with 5G, an F-35B, 10th of the 1980s, 5pm, $5bn.", []),
    ("NL309", "A range of 2,500 km.", []),
    # number-hyphen
    ("NL310", "After a 2½ year pause.", ["2½ year"]),
    ("NL310", "A ten year plan and a 200 mile zone.", ["ten year", "200 mile"]),
    ("NL310", "A 2½-year pause, 10 years, one year after, 1 day before.", []),
    ("NL310", "On Oct 24 day one began; in 2023 year end came.", []),
    # percent-form
    ("NL311", "It rose 57%, then 30%, then 68 percent.", ["68 percent"]),
    ("NL311", "It rose 57%, or 2 percentage points.", []),
    ("NL311", "It rose ten percent, then 5 percent.", []),
    # initialism-form
    ("NL312", "US officials and the U.S. Navy. The US left.", ["U.S."]),
    ("NL312", "In DC and in Washington, D.C., today.", ["D.C."]),
    ("NL312", "J.D. Young and the U.S. Navy.", []),
    ("NL312", "The US in the UN.", []),
]


@pytest.mark.parametrize(("code", "bullet", "marked"), CONSISTENCY)
def test_forms_within_an_issue(code: str, bullet: str, marked: list[str]) -> None:
    assert in_bullet(code, bullet) == marked


@pytest.mark.parametrize(("code", "bullet", "marked"), CONSISTENCY)
def test_forms_are_compared_across_bullets(code: str, bullet: str, marked: list[str]) -> None:
    assert in_bullet(code, bullet, "Nothing else happened there.") == marked


def test_headline_style_of_initials_is_only_an_info() -> None:
    pairs = [("US sends note", "The U.S. sent a note.")]
    (finding,) = findings("NL312", pairs)
    assert finding.severity is Severity.INFO


def test_unit_space_is_mended_by_its_edit() -> None:
    (finding,) = findings("NL309", [("News", "A range of 2,500km.")])
    (edit,) = finding.edits
    text = issue_text([("News", "A range of 2,500km.")])
    assert "2,500 km" in text[: edit.start] + edit.replacement + text[edit.end :]


FORMS = Vocabulary(
    forms={
        "Indo-Pacific": ("Indo Pacific",),
        "cybersecurity": ("cyber security", "cyber-security"),
        "defense": ("defence",),
        "Senkaku Islands": ("Senkakus", "Islands of Senkaku"),
    }
)


@pytest.mark.parametrize(
    ("bullet", "marked"),
    [
        ("The Indo Pacific region.", ["Indo Pacific"]),
        (
            "Cyber security matters, and so does cyber-security.",
            ["Cyber security", "cyber-security"],
        ),
        ("The Ministry of Defence, on defence.", ["defence"]),
        ("The Indo-Pacific region and cybersecurity.", []),
        ("The Senkakus are the Senkaku Islands.", ["Senkakus"]),
        ("A defenceless man.", []),
    ],
)
def test_variant_of_a_preferred_form(bullet: str, marked: list[str]) -> None:
    assert in_bullet("NL313", bullet, context=context_of(FORMS)) == marked
