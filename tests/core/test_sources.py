"""Where a mapped value comes from, and what stands in for it."""

from decimal import Decimal

from server.core.sale import FieldValue, Party
from server.core.settings import Source
from server.core.sources import Problems, Reader, look_up
from tests.core.sales import product, sale, value


def source(**parts: object) -> Source:
    return Source.model_validate(parts)


def read(made_from, **parts):
    """The text that the source gives, and the reasons noted on the way."""
    problems = Problems()
    text = Reader(made_from, problems).text("notes", source(**parts))
    return text, [problem.reason for problem in problems.found]


def test_a_field_gives_its_text():
    assert read(sale(fields={"deal.cf.7": "A-7"}), field="deal.cf.7") == ("A-7", [])


def test_an_empty_field_falls_to_the_next_and_then_to_nothing():
    deal = sale(fields={"deal.cf.7": "", "deal.cf.8": "B"})
    assert read(deal, field="deal.cf.7", **{"or": {"field": "deal.cf.8"}}) == ("B", [])
    assert read(deal, field="deal.cf.7", **{"or": {"text": "{deal.cf.7}"}}) == ("", [])


def test_spaces_alone_are_empty():
    assert read(sale(fields={"deal.cf.7": " \n "}), field="deal.cf.7", **{"or": {"text": "x"}}) == (
        "x",
        [],
    )


def test_a_field_that_is_gone_is_a_problem_even_with_another_to_fall_to():
    text, reasons = read(sale(), field="deal.cf.7", **{"or": {"text": "x"}})
    assert reasons == ["The field deal.cf.7 does not exist any more in Kommo."]
    assert text == "x"


def test_a_field_that_is_gone_is_empty_within_a_text():
    assert read(sale(), text="No. {deal.cf.7} of {deal.name}") == ("No.  of Garden chairs", [])


def test_a_reader_of_filled_fields_only_knows_nothing_of_gone_ones():
    assert read(sale(sparse=True), field="deal.cf.7") == ("", [])


def test_every_field_of_a_contact_that_is_not_there_is_empty():
    nobody = sale(party=Party(company_id=51), fields={"contact.code.EMAIL": ""})
    assert read(nobody, field="contact.cf.3") == ("", [])
    assert read(sale(), field="contact.cf.3")[1] != []


def test_predefined_fields_are_no_fault_where_an_account_lacks_them():
    assert read(sale(), field="company.code.ADDRESS.city") == ("", [])


def test_what_the_sale_itself_knows_needs_no_field():
    deal = sale(amount="1200.50", responsible_user=7)
    text = "{deal.id} {deal.name} {deal.price} {deal.responsible_user_id} {contact.id}"
    assert read(deal, text=text) == ("5512033 Garden chairs 1200.5 7 41", [])


def test_a_lines_own_fields_come_from_its_product():
    line = product("Chair", "120.50", "2.5", number=9, cf_4="oak")
    reader = Reader(sale(line), Problems()).of_line(line)
    text = source(
        text="{product.id} {product.name} {product.quantity} {product.price} {product.cf.4}"
    )
    assert reader.text("lines.name", text) == "9 Chair 2.5 120.5 oak"


def test_several_values_are_listed_and_the_first_is_the_main_one():
    deal = sale()
    both = (value("ann@acme.test"), value("a.smith@acme.test"))
    deal = sale(fields={}, **{})
    deal = type(deal)(**{**vars(deal), "fields": {"contact.code.EMAIL": both}})
    reader = Reader(deal, Problems())
    assert (
        reader.text("x", source(field="contact.code.EMAIL")) == "ann@acme.test, a.smith@acme.test"
    )
    assert reader.first_text("x", source(field="contact.code.EMAIL")) == "ann@acme.test"


def test_what_no_invoice_can_show_is_dropped():
    odd = FieldValue("A\x00-\ud8007\x1b ", number=Decimal(7))
    deal = sale()
    deal = type(deal)(**{**vars(deal), "fields": {"deal.cf.7": (odd,)}})
    assert look_up(deal, "deal.cf.7") == (FieldValue("A-7", number=Decimal(7)),)


def test_one_problem_is_noted_once():
    problems = Problems()
    for _ in range(3):
        problems.add("lines", "The deal has no products.", "Add them.")
    assert len(problems.found) == 1
