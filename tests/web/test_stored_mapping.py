"""A mapping that was saved before a stricter check: it stops its own deals, and can be mended."""

from html import unescape

from server.store import settings
from tests.rig import Rig
from tests.stories.shop import RULE, Shop
from tests.web.letting_in import let_in
from tests.web.mapping_desk import URL, changed, controls, version_of

WHY = "“X” is no field"


def test_it_parks_deals_in_plain_words_and_is_mended_on_its_page(rig: Rig) -> None:
    shop, admin = Shop(rig), let_in(rig)
    stored = shop.document("draft", {"notes": {"text": "{{X}}"}})
    with rig.world.database.write() as session:
        settings.save(session, rig.account_id, stored, "before", rig.world.clock.now())
    deal = shop.deal("10.00")
    shop.issue(deal)
    assert {one.status for one in rig.sandbox.deliveries.history} <= {200, 204}
    (problem,) = shop.job_of(deal).problems
    assert problem["field"] == "notes"
    assert problem["reason"].startswith(f"“Notes” in the mapping cannot be used. {WHY}")
    for path in ("rules", f"rules/{RULE}", f"preview?deal={deal.id}", "activity", "history"):
        assert admin.get(f"/app/{path}").status_code == 200, path
    ordered = {"order": RULE, "version": str(version_of(rig))}
    refused = admin.post("/app/rules/_order", data=ordered)
    assert refused.status_code == 422
    assert "The mapping has an error; correct it there first: “X” is no" in unescape(refused.text)
    page = admin.get(URL)
    assert page.status_code == 200
    assert controls(page)["notes-0-text"] == "{{X}}"
    assert 'id="notes-0-text-error"' in page.text
    assert WHY in unescape(page.text)
    assert admin.post(URL, data=changed(admin, po_number__0__kind="none")).status_code == 422
    assert admin.post(URL, data=changed(admin, notes__0__text="Thanks")).status_code == 303
    rig.pump()
    (invoice,) = shop.invoices
    assert invoice["notes"] == "Thanks"
