"""When a parked job is worth another look."""

from dataclasses import replace
from datetime import date
from typing import Any

from server.core.errors import Problem
from server.core.mapping import fingerprint
from server.core.sale import FieldValue, Party, Place
from tests.core.sales import mapping, product, rule, sale

CHAIR = product("Chair", "120.50")
READS = {"notes": {"text": "{deal.cf.4}"}, "taxes": {"field": "product.cf.9"}}


def prints(*, parts: dict[str, Any] = READS, rules: Any = (), **changes: Any) -> str:
    fields = {"deal.cf.4": "A", "deal.cf.5": "B", **changes.pop("fields", {})}
    line = changes.pop("line", product("Chair", "1", cf_9="21"))
    return fingerprint(sale(line, fields=fields, **changes), mapping(**parts), rules)


def test_a_fingerprint_moves_with_what_the_mapping_reads():
    still = prints()
    assert prints(fields={"deal.cf.4": "changed"}) != still
    assert prints(fields={"contact.code.EMAIL": "other@acme.test"}) != still
    assert prints(line=product("Chair", "2", cf_9="21")) != still
    assert prints(line=product("Chair", "1", cf_9="9")) != still
    assert prints(amount="7") != still
    assert prints(party=Party(contact_id=42)) != still
    assert prints(title="Another name") != still
    assert prints(problems=(Problem("a", "b", "c"),)) != still


def test_a_fingerprint_stands_still_where_nothing_is_read():
    still = prints()
    assert prints() == still
    assert prints(fields={"deal.cf.5": "changed", "deal.cf.6": "new"}) == still
    assert prints(place=Place(3001, 21)) == still
    assert prints(responsible_user=9) == still


def test_a_fingerprint_moves_with_the_settings_and_what_conditions_read():
    condition = {"field": "deal.cf.5", "is": "filled"}
    rules = [rule(conditions=[condition])]
    assert prints(parts={**READS, "due_days": {"text": "3"}}) != prints()
    assert prints(rules=rules) != prints()
    assert prints(rules=rules) != prints(rules=rules, fields={"deal.cf.5": "changed"})


def test_an_emptied_field_and_a_gone_one_have_other_fingerprints():
    deal = sale(CHAIR, fields={"deal.cf.4": ""})
    gone = {key: found for key, found in deal.fields.items() if key != "deal.cf.4"}
    read = mapping(**READS)
    assert fingerprint(deal, read) != fingerprint(replace(deal, fields=gone), read)


def test_dates_are_part_of_a_fingerprint():
    one, other = (
        replace(sale(CHAIR), fields={"deal.cf.4": (FieldValue("soon", day=date(2026, 1, day)),)})
        for day in (1, 2)
    )
    assert fingerprint(one, mapping(**READS)) != fingerprint(other, mapping(**READS))
