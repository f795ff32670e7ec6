"""Whom an invoice is for: the client that a mapping makes of contact and company."""

from dataclasses import replace

import pytest

from server.core.errors import CannotBill, Problem
from server.core.mapping import draft
from server.core.sale import FieldValue, Party
from tests.core.sales import drafted, mapping, product, sale

CHAIR = product("Chair", "120.50")


def problems_of(made_from, action="draft", **client):
    """Field to reason of everything that stands in the way."""
    with pytest.raises(CannotBill) as refused:
        draft(made_from, mapping(client=client), action=action)
    return {problem.field: problem.reason for problem in refused.value.problems}


def test_a_contact_with_a_company_is_a_client_by_default():
    deal = sale(
        CHAIR,
        fields={
            "contact.code.EMAIL": "Ann@Acme.test",
            "contact.first_name": "Ann",
            "contact.last_name": "Smith",
            "contact.code.PHONE": "+351 900 000 000",
            "company.name": "Acme\n Ltd",
            "company.code.ADDRESS": "1 Wood Lane",
        },
    )
    client = drafted(deal).client
    assert client.key == "email:ann@acme.test"
    assert client.email == "Ann@Acme.test"
    assert (client.first_name, client.last_name) == ("Ann", "Smith")
    assert client.organization == "Acme Ltd"
    assert client.phone == "+351 900 000 000"
    assert client.street == "1 Wood Lane"


def test_the_companys_e_mail_serves_where_the_contact_has_none():
    deal = sale(CHAIR, fields={"contact.code.EMAIL": "", "company.code.EMAIL": "hi@acme.test"})
    assert drafted(deal).client.key == "email:hi@acme.test"


def test_a_contact_without_an_e_mail_cannot_be_matched_by_it():
    deal = sale(CHAIR, fields={"contact.code.EMAIL": ""})
    assert problems_of(deal) == {"client.email": "The contact has no e-mail."}


def test_the_words_say_what_to_do_and_where():
    with pytest.raises(CannotBill) as refused:
        drafted(sale(CHAIR, fields={"contact.code.EMAIL": ""}))
    assert str(refused.value) == "The contact has no e-mail. Add one in Kommo."


def test_a_company_alone_is_named_as_what_lacks_the_e_mail():
    deal = sale(CHAIR, party=Party(company_id=51), fields={"contact.code.EMAIL": ""})
    assert problems_of(deal) == {"client.email": "The company has no e-mail."}


@pytest.mark.parametrize("match_by", ["company", "contact"])
def test_an_e_mail_is_needed_for_mailing_by_whatever_clients_are_matched(match_by):
    deal = sale(CHAIR, fields={"contact.code.EMAIL": ""})
    assert "client.email" in problems_of(deal, action="email", match_by=match_by)
    assert draft(deal, mapping(client={"match_by": match_by})).client.email == ""


@pytest.mark.parametrize("action", ["email", "draft", "mark_sent"])
def test_mailing_without_a_mapped_e_mail_is_a_fault_of_the_mapping(action):
    deal, client = sale(CHAIR), {"match_by": "company", "email": None}
    if action == "email":
        assert "No field is chosen" in problems_of(deal, action=action, **client)["client.email"]
    else:
        assert draft(deal, mapping(client=client), action=action).client.key == "company:51"


@pytest.mark.parametrize(
    "text", ["ann", "ann@", "@acme.test", "ann@acme", "ann smith@acme.test", "a@b@c.test", "a@b."]
)
def test_what_is_no_e_mail_is_refused(text):
    found = problems_of(sale(CHAIR, fields={"contact.code.EMAIL": text}))
    assert found == {"client.email": f"“{text}” is not an e-mail address."}


@pytest.mark.parametrize("text", ["o'neil+tag@sub.acme.test", "jürgen@bücher.test", "a_b@x.co"])
def test_unusual_e_mails_are_taken(text):
    assert drafted(sale(CHAIR, fields={"contact.code.EMAIL": text})).client.email == text


def test_nobody_on_the_deal_is_one_problem_not_three():
    nobody = sale(CHAIR, party=Party(), fields={"contact.code.EMAIL": ""})
    found = problems_of(nobody, action="email", match_by="contact")
    assert list(found) == ["client"]
    assert "no contact and no company" in found["client"]


def test_a_contact_that_the_reader_found_deleted_is_one_problem_too():
    gone = Problem("contact", "The deal's contact was deleted.", "Choose it again.")
    found = problems_of(sale(CHAIR, party=Party(), problems=(gone,)))
    assert found == {"contact": "The deal's contact was deleted."}


@pytest.mark.parametrize(
    ("match_by", "key"), [("contact", "contact:41"), ("company", "company:51")]
)
def test_a_client_may_be_known_by_the_vendors_own_id(match_by, key):
    assert drafted(sale(CHAIR), client={"match_by": match_by}).client.key == key


def test_the_mark_that_clients_are_matched_by_must_be_there():
    only_contact = sale(CHAIR, party=Party(contact_id=41))
    assert list(problems_of(only_contact, match_by="company")) == ["client.match_by"]
    only_company = sale(CHAIR, party=Party(company_id=51))
    assert list(problems_of(only_company, match_by="contact")) == ["client.match_by"]


def test_a_vat_number_makes_the_key_where_clients_are_matched_by_it():
    client = {"match_by": "vat", "vat_number": {"field": "company.cf.3"}}
    deal = sale(CHAIR, fields={"company.cf.3": "LT 100 200"})
    found = drafted(deal, client=client).client
    assert (found.key, found.vat_number) == ("vat:lt100200", "LT 100 200")
    for empty in ("", "--"):
        deal = sale(CHAIR, fields={"company.cf.3": empty})
        assert list(problems_of(deal, **client)) == ["client.vat_number"]


def test_a_language_has_two_letters():
    client = {"language": {"field": "contact.cf.8"}}
    assert (
        drafted(sale(CHAIR, fields={"contact.cf.8": "PT"}), client=client).client.language == "pt"
    )
    assert drafted(sale(CHAIR, fields={"contact.cf.8": ""}), client=client).client.language == ""
    found = problems_of(sale(CHAIR, fields={"contact.cf.8": "English"}), **client)
    assert found == {"client.language": "“English” is no language code."}


def test_a_choices_code_is_its_language_whatever_users_read():
    chosen = FieldValue("English", enum_id=7, enum_code="en")
    plain = sale(CHAIR)
    deal = replace(plain, fields={**plain.fields, "contact.cf.8": (chosen,)})
    client = {"language": {"field": "contact.cf.8"}}
    assert drafted(deal, client=client).client.language == "en"
