"""Exports of other systems come in with names, tags, time zones and statuses in place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.audience.model import Reason, Status
from newsletter.errors import UsageError
from tests.audience.importer.csv_files import person, record, suppressed, take, written
from tests.audience.people import mailed


def test_listmonk_export(store, tmp_path):
    text = (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        'u1,ada@example.org,Ada Okafor,"{""city"": ""Bergen"", ""timezone"": ""Europe/Oslo"", '
        '""tags"": [""fleet"", ""press""]}",enabled,2023-04-05T06:07:08.123Z,\n'
        "u2,ben@example.org,Ben,{},disabled,2023-04-05 06:07:08,\n"
        "u3,cem@example.org,Cem,{},blocklisted,2023-04-05 06:07:08,\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added, report.suppressed) == ("listmonk", 2, 1)
    ada = person(store, "ada@example.org")
    assert (ada.name, ada.timezone, ada.tags) == ("Ada Okafor", "Europe/Oslo", ("fleet", "press"))
    assert ada.created_at == datetime(2023, 4, 5, 6, 7, 8, 123_000, tzinfo=UTC)
    assert person(store, "ben@example.org").status is Status.PAUSED
    assert suppressed(store, "cem@example.org") is Reason.MANUAL
    assert any("attributes" in warning for warning in report.warnings)


def test_listmonk_import_form(store, tmp_path):
    text = 'email,name,attributes\nada@example.org,Ada,"{""lang"": ""pt-BR""}"\n'
    assert take(store, written(tmp_path, text)).form == "listmonk"
    assert person(store, "ada@example.org").language == "pt-BR"


def test_keila(store, tmp_path):
    text = (
        "Email,First name,Last name,Data,Status,External ID\n"
        'ada@example.org,Ada,Okafor,"{""tags"": ""fleet""}",active,7\n'
        "ben@example.org,Ben,,,unsubscribed,8\n"
        "cem@example.org,,,,unreachable,9\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added, report.suppressed) == ("Keila", 1, 2)
    ada = person(store, "ada@example.org")
    assert (ada.name, ada.tags) == ("Ada Okafor", ("fleet",))
    assert suppressed(store, "ben@example.org") is Reason.UNSUBSCRIBED
    assert suppressed(store, "cem@example.org") is Reason.BOUNCED


def test_ghost(store, tmp_path):
    text = (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,"
        "created_at,deleted_at,labels,tiers\n"
        '1,ada@example.org,Ada,vip,true,false,,2022-01-02T03:04:05.000Z,,"fleet, Press",\n'
        "2,ben@example.org,Ben,,false,false,,2022-01-02T03:04:05.000Z,,,\n"
        "3,cem@example.org,Cem,,true,false,,2022-01-02T03:04:05.000Z,2023-01-01T00:00:00Z,,\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added, report.suppressed) == ("Ghost", 1, 2)
    assert person(store, "ada@example.org").tags == ("Press", "fleet")
    assert mailed(store) == ["ada@example.org"]


MAILCHIMP = (
    "Email Address,First Name,Last Name,Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,"
    "CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,{}LEID,EUID,"
    "NOTES,TAGS\n"
)
CHIMP = (
    "{},José,Núñez,,3,2021-03-04 05:06:07,192.0.2.7,2021-03-04 05:09:00,192.0.2.8,0,0,1,2,"
    'Europe/Madrid,ES,MD,2022-01-01 00:00:00,{}1,x1,,"""fleet"",""Big, bold"""\n'
)


def test_mailchimp_subscribed(store, tmp_path):
    report = take(
        store, written(tmp_path, MAILCHIMP.format("") + CHIMP.format("jose@example.org", ""))
    )
    assert (report.form, report.added) == ("Mailchimp", 1)
    jose = person(store, "jose@example.org")
    assert (jose.name, jose.timezone) == ("José Núñez", "Europe/Madrid")
    assert jose.tags == ("Big bold", "fleet")
    (consent,) = record(store, "jose@example.org")["consents"]
    assert consent["at"] == "2021-03-04T05:06:07+00:00"
    assert consent["confirmed_at"] == "2021-03-04T05:09:00+00:00"
    assert consent["ip"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("extra", "values", "name", "reason"),
    [
        ("UNSUB_TIME,UNSUB_REASON,", "2024-05-06 07:08:09,,", "x.csv", Reason.UNSUBSCRIBED),
        ("CLEAN_TIME,CLEAN_CAMPAIGN_ID,", "2024-05-06 07:08:09,,", "x.csv", Reason.BOUNCED),
        ("", "", "unsubscribed_members_export_ab12.csv", Reason.UNSUBSCRIBED),
        ("", "", "cleaned_members_export_ab12.csv", Reason.BOUNCED),
    ],
)
def test_mailchimp_unsubscribed_and_cleaned_become_suppressions(
    store, tmp_path, extra, values, name, reason
):
    take(store, written(tmp_path, MAILCHIMP.format("") + CHIMP.format("jose@example.org", "")))
    text = MAILCHIMP.format(extra) + "".join(
        CHIMP.format(email, values) for email in ("JOSE@example.org", "new@example.org")
    )
    path = written(tmp_path, text, name)
    report = take(store, path, consent="")
    assert (report.suppressed, report.added) == (2, 0)
    assert suppressed(store, "jose@example.org") is reason
    assert suppressed(store, "new@example.org") is reason
    assert mailed(store) == []
    assert take(store, path, consent="").changed == 0
    if values:
        (kept,) = record(store, "new@example.org")["suppressions"]
        assert kept["at"] == "2024-05-06T07:08:09+00:00"


def test_sendgrid_contacts(store, tmp_path):
    text = (
        "EMAIL,FIRST_NAME,LAST_NAME,ALTERNATE_EMAILS,CITY,CREATED_AT,UPDATED_AT,CONTACT_ID\n"
        "ada@example.org,Ada,Okafor,,Bergen,2022-02-03T04:05:06Z,,c1\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added) == ("SendGrid", 1)
    assert person(store, "ada@example.org").name == "Ada Okafor"


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        (
            'status,reason,email,created\n5.1.1,"550 no such, user",ada@example.org,1700000000\n',
            "suppression_bounces.csv",
            Reason.BOUNCED,
        ),
        (
            "reason,email,created\nMail domain wrong,ada@example.org,1700000000\n",
            "suppression_invalid_emails.csv",
            Reason.BOUNCED,
        ),
        (
            "ip,email,created\n192.0.2.1,ada@example.org,1700000000\n",
            "suppression_spam_reports.csv",
            Reason.COMPLAINED,
        ),
        (
            "email,created\nada@example.org,1700000000\n",
            "suppression_unsubscribes.csv",
            Reason.UNSUBSCRIBED,
        ),
    ],
)
def test_sendgrid_suppressions(store, tmp_path, text, name, reason):
    report = take(store, written(tmp_path, text, name), consent="")
    assert report.suppressed == 1
    assert suppressed(store, "ada@example.org") is reason
    (kept,) = record(store, "ada@example.org")["suppressions"]
    assert kept["at"] == "2023-11-14T22:13:20+00:00"


def test_substack_readers_who_do_not_pay_are_subscribers(store, tmp_path):
    text = (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "ada@example.org,false,,other,false,2023-01-02T03:04:05.000Z,\n"
        "ben@example.org,true,2030-01-01T00:00:00.000Z,monthly,true,2023-01-02T03:04:05.000Z,\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added, report.suppressed) == ("Substack", 1, 1)
    assert mailed(store) == ["ada@example.org"]
    assert suppressed(store, "ben@example.org") is Reason.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("address", "kind"), [("email", "subscriber_type"), ("email_address", "type")]
)
def test_buttondown(store, tmp_path, address, kind):
    text = (
        f"id,{address},notes,metadata,tags,{kind},creation_date,ip_address,referrer_url\n"
        '1,ada@example.org,,"{""name"": ""Ada""}","fleet,press",regular,2024-01-02,192.0.2.9,'
        "https://example.com/join\n"
        "2,ben@example.org,,{},,unactivated,2024-01-02,,\n"
        "3,cem@example.org,,{},,unsubscribed,2024-01-02,,\n"
        "4,dee@example.org,,{},,complained,2024-01-02,,\n"
        "5,eva@example.org,,{},,undeliverable,2024-01-02,,\n"
        "6,fay@example.org,,{},,promoted,2024-01-02,,\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added, report.suppressed) == ("Buttondown", 2, 3)
    ada = person(store, "ada@example.org")
    assert (ada.name, ada.tags) == ("Ada", ("fleet", "press"))
    assert record(store, "ada@example.org")["consents"][0]["page"] == "https://example.com/join"
    assert person(store, "ben@example.org").status is Status.PENDING
    assert suppressed(store, "dee@example.org") is Reason.COMPLAINED
    (reject,) = report.rejects
    assert str(reject) == f"line 7, {kind}: the status “promoted” is not known"


def test_pending_people_have_asked_and_are_not_mailed(store, tmp_path):
    text = "email,status\nada@example.org,pending\nben@example.org,unconfirmed\n"
    take(store, written(tmp_path, text))
    assert mailed(store) == []
    assert [each["kind"] for each in record(store, "ada@example.org")["consents"]] == ["requested"]


def test_lists_of_listmonk_become_tags_beside_those_of_the_attributes(store, tmp_path):
    text = (
        "id,uuid,email,name,attributes,status,created_at,updated_at,lists\n"
        '1,u1,ada@example.org,Ada,"{""tags"": [""vip""]}",enabled,2023-04-05,,'
        '"Default list, Press"\n'
        "2,u2,ben@example.org,Ben,{},blocklisted,2023-04-05,,Press\n"
    )
    assert take(store, written(tmp_path, text)).form == "listmonk"
    assert person(store, "ada@example.org").tags == ("Default list", "Press", "vip")
    assert suppressed(store, "ben@example.org") is Reason.MANUAL


def test_keila_without_a_status_keeps_what_the_data_say(store, tmp_path):
    text = (
        "Email,First name,Last name,Data,External ID\r\n"
        'ada@example.org,Ada,Okafor,"{""tags"": [""x""], ""timezone"": ""Asia/Tokyo""}",7\r\n'
    )
    assert take(store, written(tmp_path, text)).form == "Keila"
    ada = person(store, "ada@example.org")
    assert (ada.name, ada.tags, ada.timezone) == ("Ada Okafor", ("x",), "Asia/Tokyo")


def test_old_ghost_export_says_who_left_too(store, tmp_path):
    text = (
        "id,email,name,note,subscribed,complimentary_plan,stripe_customer_id,created_at,labels\n"
        "1,ada@example.org,Ada,,TRUE,,,2022-01-02T03:04:05.000Z,VIP\n"
        "2,ben@example.org,Ben,,False,,,2022-01-02T03:04:05.000Z,\n"
    )
    assert take(store, written(tmp_path, text)).form == "Ghost"
    assert mailed(store) == ["ada@example.org"]
    assert suppressed(store, "ben@example.org") is Reason.UNSUBSCRIBED


def test_substack_export_of_the_dashboard(store, tmp_path):
    text = (
        "Email,Name,Stripe plan,Cancel date,Start date,Paid upgrade date,Activity,Type,"
        "Subscription source (free)\n"
        "ada@example.org,Ada,,,2025-01-02T03:04:05.000Z,,5,Free,direct\n"
        "ben@example.org,Ben,Monthly,2025-09-01,2025-02-01T00:00:00.000Z,,3,Paid,direct\n"
    )
    report = take(store, written(tmp_path, text))
    assert (report.form, report.added) == ("Substack", 2)
    assert person(store, "ada@example.org").created_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_buttondown_with_short_names_and_lists_as_python_writes_them(store, tmp_path):
    text = (
        "email\tnotes\ttags\ttype\tcreation_date\tsource\tip\n"
        "ada@example.org\t\t['fleet', 'press']\tpremium\t2024-01-02\tapi\t192.0.2.9\n"
        "ben@example.org\t\t[]\tRemoved\t2024-01-02\tapi\t\n"
        "cem@example.org\t\t[]\tunactivated\t2024-01-02\tapi\t\n"
    )
    assert take(store, written(tmp_path, text)).form == "Buttondown"
    assert person(store, "ada@example.org").tags == ("fleet", "press")
    assert record(store, "ada@example.org")["consents"][0]["ip"] == "192.0.2.9"
    assert suppressed(store, "ben@example.org") is Reason.UNSUBSCRIBED
    assert person(store, "cem@example.org").status is Status.PENDING


@pytest.mark.parametrize("column", ["Unsubscription date", "Subscribed", "Opt Out", "Bounced?"])
def test_column_that_may_say_who_left_is_never_passed_over(store, tmp_path, column):
    path = written(tmp_path, f"email,{column}\nada@example.org,2024-01-02\n")
    with pytest.raises(UsageError, match="may say who left") as caught:
        take(store, path)
    assert f'--map "{column}=ignore"' in (caught.value.hint or "")
    assert mailed(store) == []
    assert take(store, path, mapping={column: "ignore"}).added == 1


def test_reasons_stay_whole_and_hold_no_address(store, tmp_path):
    path = written(tmp_path, "email\nnobody\n@example.org\nada@example.org@example.org\n")
    reasons = [reject.reason for reject in take(store, path).rejects]
    assert reasons[0] == "An email address must have an @-sign"
    assert reasons[1] == "There must be something before the @-sign"
    assert "example.org" not in "".join(reasons)
