"""What readers do, from the sign-up to the last button: by the links in their mail."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from newsletter.audience import subscribers
from newsletter.audience.model import Status, Subscriber
from tests.web.newsletters import Newsletter, address, addresses, laid_out
from tests.web.places import WEEK, confirmation, preferences, somebody, unsubscribe

pytestmark = pytest.mark.browser
with_and_without_javascript = pytest.mark.parametrize(
    "page",
    [{}, {"java_script_enabled": False}],
    indirect=True,
    ids=["JavaScript", "no JavaScript"],
)


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def told(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(text)


def person(newsletter: Newsletter, email: str) -> Subscriber:
    with newsletter.changing() as conn:
        found = subscribers.find_exactly(conn, email)
    assert found is not None
    return found


def sign_up(page: Page, newsletter: Newsletter, email: str) -> EmailMessage:
    """Ask by the form on the home page; the mail to confirm by."""
    page.goto(newsletter.url)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Name").fill("Alex")
    page.get_by_label("Name").press("Enter")
    heading(page, "Check your mail")
    return newsletter.mail(email, "Please confirm")


@with_and_without_javascript
def test_a_reader_comes_and_goes_with_nothing_but_links_and_buttons(
    page: Page, newsletter: Newsletter
):
    email = somebody()
    asked = sign_up(page, newsletter, email)
    assert person(newsletter, email).status is Status.PENDING
    link = address(asked, "/confirm/")
    assert link in addresses(asked, "plain")
    page.goto(link)
    assert person(newsletter, email).status is Status.PENDING
    press(page, "Yes, subscribe me")
    heading(page, "You are on the list")
    assert person(newsletter, email).status is Status.ACTIVE
    page.get_by_role("link", name="Your preferences").click()
    heading(page, "Your preferences")
    welcome = newsletter.mail(email, "Welcome")
    page.goto(address(welcome, "/vol-2-24/"))
    expect(page.get_by_text("Vol 2.24").first).to_be_visible()
    page.goto(address(welcome, "/unsubscribe/"))
    assert person(newsletter, email).status is Status.ACTIVE
    press(page, "Unsubscribe")
    heading(page, "You are unsubscribed")
    assert person(newsletter, email).status is Status.UNSUBSCRIBED
    page.goto(address(welcome, "/preferences/"))
    expect(page.get_by_text("Nothing is sent to this address")).to_be_visible()


def test_a_reader_who_has_only_a_keyboard_comes_pauses_and_leaves(
    page: Page, newsletter: Newsletter
):
    email = somebody()
    keys = page.keyboard

    def tab_to(role: Any, name: str) -> None:
        wanted = page.get_by_role(role, name=name)
        for _ in range(40):
            keys.press("Tab")
            if wanted.evaluate("e => e === document.activeElement"):
                return
        raise AssertionError(name)

    page.goto(newsletter.url)
    tab_to("textbox", "E-mail address")
    keys.type(email)
    tab_to("button", "Subscribe")
    keys.press("Space")
    heading(page, "Check your mail")
    page.goto(address(newsletter.mail(email, "Please confirm"), "/confirm/"))
    tab_to("button", "Yes, subscribe me")
    keys.press("Enter")
    heading(page, "You are on the list")
    tab_to("link", "Your preferences")
    keys.press("Enter")
    tab_to("combobox", "Leave out the next issues")
    keys.press("ArrowDown")
    tab_to("button", "Pause")
    keys.press("Enter")
    told(page, "2 more issues are left out")
    tab_to("button", "Unsubscribe")
    keys.press("Enter")
    heading(page, "You are unsubscribed")
    assert person(newsletter, email).status is Status.UNSUBSCRIBED


def test_all_links_and_buttons_work_below_a_path(page: Page, tmp_path: Path):
    newsletter = laid_out(tmp_path / "newsletter", prefix="/digest")
    email = somebody()
    with newsletter.served():
        asked = sign_up(page, newsletter, email)
        page.goto(address(asked, "/digest/confirm/"))
        press(page, "Yes, subscribe me")
        heading(page, "You are on the list")
        welcome = newsletter.mail(email, "Welcome")  # not sent to who pauses before it leaves
        page.get_by_role("link", name="Your preferences").click()
        page.get_by_label("Plain text").check()
        press(page, "Save")
        told(page, "Saved")
        press(page, "Pause")
        told(page, "1 more issue")
        press(page, "End the break now")
        told(page, "Welcome back")
        page.get_by_role("link", name="Privacy policy").click()
        heading(page, "Privacy")
        page.goto(address(welcome, "/digest/unsubscribe/"))
        press(page, "Unsubscribe")
        heading(page, "You are unsubscribed")
        page.get_by_role("link", name="Subscribe again").click()
        assert page.url == f"{newsletter.url}/subscribe/"


def test_a_confirmation_counts_once_however_often_it_is_pressed(page: Page, newsletter: Newsletter):
    email = somebody()
    link = confirmation(newsletter, email)
    page.goto(link)
    page.get_by_role("button", name="Yes, subscribe me").dblclick()
    heading(page, "You are on the list")
    page.goto(link)
    heading(page, "You are on the list")
    assert page.get_by_role("button").count() == 0
    newsletter.mail(email, "Welcome")
    assert len([m for m in newsletter.sent() if m["To"].addresses[0].addr_spec == email]) == 1


def test_a_confirmation_that_is_too_old_offers_the_form_again(page: Page, newsletter: Newsletter):
    email = somebody()
    answer = page.goto(confirmation(newsletter, email, ago=2 * WEEK))
    assert answer is not None
    assert answer.status == 410
    heading(page, "This link has done its work")
    page.get_by_label("E-mail address").fill(email)
    press(page, "Subscribe")
    heading(page, "Check your mail")
    page.goto(address(newsletter.mail(email, "Please confirm"), "/confirm/"))
    press(page, "Yes, subscribe me")
    assert person(newsletter, email).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("of", "status"), [("/confirm/", 410), ("/preferences/", 404), ("/unsubscribe/", 404)]
)
def test_a_link_that_was_tampered_with_leads_nowhere(
    page: Page, newsletter: Newsletter, of: str, status: int
):
    email = somebody()
    links = [f(newsletter, somebody()) for f in (confirmation, preferences, unsubscribe)]
    link = next(link for link in links if of in link)
    changed = link[:-1] + ("A" if link[-1] != "A" else "B")
    for url in (changed, link[:-5], f"{link}x", f"{newsletter.url}{of}{email}"):
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == status, url
        expect(page.get_by_role("link", name="Latest issue")).to_be_visible()


@with_and_without_javascript
def test_preferences_are_kept(page: Page, newsletter: Newsletter):
    email = somebody()
    page.goto(preferences(newsletter, email))
    expect(page.get_by_text(email)).to_be_visible()
    page.get_by_label("Name").fill("Zoë Example")
    page.get_by_label("Language").fill("pt-br")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label("Plain text").check()
    press(page, "Save")
    told(page, "Saved")
    expect(page.get_by_label("Name")).to_have_value("Zoë Example")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.get_by_label("Plain text")).to_be_checked()
    kept = person(newsletter, email)
    assert (kept.name, kept.timezone, kept.format) == ("Zoë Example", "Asia/Tokyo", "text")
    assert kept.language.lower() == "pt-br"
    page.reload()
    assert person(newsletter, email) == kept


def test_preferences_that_cannot_be_used_are_said_and_stay_in_the_form(
    page: Page, newsletter: Newsletter
):
    email = somebody()
    page.goto(preferences(newsletter, email))
    page.get_by_label("Name").fill("Alex")
    page.get_by_label("Language").fill("English, please")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_have_text(
        "Nothing was saved: the language is not written as in “en” or “pt-BR”."
    )
    expect(page.get_by_label("Language")).to_have_value("English, please")
    expect(page.get_by_label("Name")).to_have_value("Alex")
    assert person(newsletter, email).name == ""


@with_and_without_javascript
def test_a_break_of_two_issues_is_taken_changed_and_ended(page: Page, newsletter: Newsletter):
    email = somebody()
    page.goto(preferences(newsletter, email))
    page.get_by_label("Leave out the next issues").select_option("2")
    press(page, "Pause")
    told(page, "2 more issues are left out")
    assert person(newsletter, email).status is Status.PAUSED
    page.get_by_label("Leave out the next issues").select_option("1")
    press(page, "Change")
    told(page, "1 more issue is left out")
    press(page, "End the break now")
    told(page, "Welcome back")
    assert person(newsletter, email).status is Status.ACTIVE


@with_and_without_javascript
def test_all_that_is_kept_can_be_taken_home(page: Page, newsletter: Newsletter, tmp_path: Path):
    email = somebody()
    page.goto(preferences(newsletter, email))
    with page.expect_download() as waiting:
        press(page, "Download")
    assert waiting.value.suggested_filename == "my-data.json"
    waiting.value.save_as(tmp_path / "mine.json")
    text = (tmp_path / "mine.json").read_text("utf-8")
    assert email in json.dumps(json.loads(text))


def test_erasing_needs_the_tick_and_leaves_nothing(page: Page, newsletter: Newsletter):
    email = somebody()
    link = preferences(newsletter, email)
    page.goto(link)
    press(page, "Erase me")
    assert page.get_by_label("I am sure").evaluate("e => e.validity.valueMissing")
    assert person(newsletter, email).status is Status.ACTIVE
    page.get_by_label("I am sure").check()
    press(page, "Erase me")
    heading(page, "You are forgotten")
    with newsletter.changing() as conn:
        assert subscribers.find_exactly(conn, email) is None
    answer = page.goto(link)
    assert answer is not None
    assert answer.status == 410


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_a_browser_that_does_not_ask_for_the_tick_erases_nothing(
    page: Page, newsletter: Newsletter
):
    email = somebody()
    page.goto(preferences(newsletter, email))
    page.locator("form[action$='/erase']").evaluate("form => { form.noValidate = true; }")
    press(page, "Erase me")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was erased")
    assert person(newsletter, email).status is Status.ACTIVE


FIELD = b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click'
ENCODINGS = {
    "application/x-www-form-urlencoded": b"List-Unsubscribe=One-Click",
    "multipart/form-data; boundary=b": b"--b\r\n" + FIELD + b"\r\n--b--\r\n",
}


@pytest.mark.parametrize("kind", ENCODINGS, ids=["urlencoded", "multipart"])
def test_a_mail_program_unsubscribes_by_the_header_alone(
    page: Page, newsletter: Newsletter, kind: str
):
    """RFC 8058 §3.1: one POST, without cookies, answered without a redirect."""
    email = somebody()
    page.goto(confirmation(newsletter, email))
    press(page, "Yes, subscribe me")
    heading(page, "You are on the list")
    welcome = newsletter.mail(email, "Welcome")
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(welcome["List-Unsubscribe"]).strip("<>")
    for _ in range(2):
        with urlopen(Request(link, ENCODINGS[kind], {"Content-Type": kind}), timeout=30) as answer:
            assert (answer.status, answer.url) == (200, link)
            assert answer.headers["Set-Cookie"] is None
    assert person(newsletter, email).status is Status.UNSUBSCRIBED
    page.goto(link)
    heading(page, "You are unsubscribed")


@with_and_without_javascript
@pytest.mark.parametrize(
    ("email", "name", "wrong", "said"),
    [
        ("alex@localhost", "Alex", "E-mail address", "This e-mail address cannot be used"),
        ("alex@example.org", "Alex\u202e", "Name", "The name"),
    ],
)
def test_what_cannot_be_used_is_said_where_the_reader_goes_on(
    page: Page, newsletter: Newsletter, email: str, name: str, wrong: str, said: str
):
    page.goto(f"{newsletter.url}/subscribe/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    press(page, "Subscribe")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(said)
    field = page.get_by_label(wrong)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", str(alert.get_attribute("id")))
    expect(page.locator("[aria-invalid]")).to_have_count(1)
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    expect(page.get_by_label("Name")).to_have_value(name)
    expect(page).to_have_title("Please check: Subscribe – Pacific Alliance Digest")


def test_a_stranger_who_signs_up_a_reader_changes_nothing_for_them(
    page: Page, newsletter: Newsletter
):
    email = somebody()
    preferences(newsletter, email)
    before = person(newsletter, email)
    page.goto(newsletter.url)
    page.get_by_label("E-mail address").fill(email)
    press(page, "Subscribe")
    heading(page, "Check your mail")
    page.goto(address(newsletter.mail(email, ""), "/preferences/"))
    heading(page, "Your preferences")
    after = person(newsletter, email)
    assert (after.status, after.name) == (before.status, before.name)


def test_reloading_and_going_back_repeats_nothing(page: Page, newsletter: Newsletter):
    email = somebody()
    page.goto(preferences(newsletter, email))
    page.get_by_label("Leave out the next issues").select_option("3")
    press(page, "Pause")
    told(page, "3 more issues")
    press(page, "End the break now")
    told(page, "Welcome back")
    page.reload()
    page.go_back()
    page.reload()
    assert person(newsletter, email).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/vol-2-25/", "This issue is not out yet"),
        ("/vol-2-25/issue.pdf", "This issue is not out yet"),
        ("/vol-3-01/", "This issue is not out yet"),
        ("/vol-2-21/", "There is no such page"),
        ("/vol-2-24/nothing", "There is no such page"),
        ("/vol-2-1000/", "There is no such page"),
    ],
)
def test_a_test_mail_leads_to_a_page_that_says_the_issue_is_to_come(
    page: Page, newsletter: Newsletter, path: str, title: str
):
    answer = page.goto(newsletter.url + path)
    assert answer is not None
    assert answer.status == 404
    heading(page, title)
    page.get_by_role("link", name="Latest issue").click()
    assert page.url == f"{newsletter.url}/"
