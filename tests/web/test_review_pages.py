"""Ways in which the pages were once broken, each played again."""

import threading
from collections.abc import Callable

import pytest

from server.flows import connect_freshbooks
from server.flows.change_settings import NoSuchRule
from server.sandbox.faults import Fault
from server.web import sessions
from server.web.auth import Role
from tests.rig import Rig
from tests.stories.shop import RULE, Shop
from tests.web.letting_in import LetIn, let_in


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig)


class Meanwhile:
    """``work`` in a thread, while a call to Kommo is held for a moment."""

    def __init__(self, rig: Rig, call: str, work: Callable[[], object]) -> None:
        held = rig.sandbox.faults.add(Fault("slow", call, "kommo", seconds=1.5))
        self.raised: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()
        while held in rig.sandbox.faults.list():  # until the call has come
            threading.Event().wait(0.005)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except NoSuchRule as error:
            self.raised.append(error)

    def end(self) -> None:
        self._thread.join()


def test_a_rule_that_is_removed_while_kommo_tells_its_time_is_not_switched_on(shop: Shop) -> None:
    rig = shop.rig
    rig.rule_off(RULE)
    on = Meanwhile(rig, "GET /api/v4/account", lambda: rig.rule_on(RULE))
    rig.settings({"rules": [], "mapping": {}})
    on.end()
    assert [type(error) for error in on.raised] == [NoSuchRule]
    rig.settings(shop.document("draft", {}))  # the same slug again
    shop.issue(shop.deal("100.00"))
    assert not shop.invoices


def test_a_session_ends_with_the_business_that_let_the_person_in(shop: Shop) -> None:
    rig = shop.rig
    ona = let_in(rig, where="app")
    assert ona.get("/app/").status_code == 200
    bob = rig.sandbox.freshbooks.add_identity("bob@example.test", "Bob")
    rig.sandbox.freshbooks.add_business(bob, "Bob's Bikes")
    ticket = rig.consent("freshbooks", rig.account_id, identity_id=str(bob.id))
    connect_freshbooks.complete(rig.world, ticket, change=True)
    assert ona.get("/app/").location == "/app/sign-in"


def test_a_session_in_the_frame_ends_where_kommo_was_switched_off(shop: Shop) -> None:
    rig = shop.rig
    session = sessions.begin(
        rig.world, rig.account_id, Role.ADMIN, where="kommo", who="1", name="Ann", language="en"
    )
    admin = LetIn(rig, session)
    rig.kommo.disable_integration(next(iter(rig.sandbox.kommo.grants.integrations)))
    rig.pump()
    assert rig.connection("kommo").state == "disconnected"
    assert admin.get("/app/").status_code == 401
    assert admin.post("/embed/renew").status_code == 401


def test_a_business_that_is_changed_while_a_run_reads_the_deal_gets_the_invoice(shop: Shop) -> None:
    """The run that read the former one makes nothing there, and the next knows the new one."""
    rig, deal, old = shop.rig, shop.deal("100.00"), shop.rig.books
    new = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Second")
    ticket = rig.consent("freshbooks", rig.account_id)
    shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    run = Meanwhile(rig, "GET /api/v4/leads/*", rig.runner.drain)
    connect_freshbooks.complete(rig.world, ticket, new.business_id, change=True)
    run.end()
    assert not old.invoices
    rig.later(seconds=2)
    assert (len(old.invoices), len(new.invoices)) == (0, 1)


def test_a_page_never_lands_in_a_part_of_another(shop: Shop) -> None:
    answer = let_in(shop.rig).get("/app/activity")
    assert answer.headers["HX-Retarget"] == "#page"


def test_what_is_under_way_is_asked_for_apart_from_its_links(shop: Shop) -> None:
    """What polls has no children: they would inherit where its answer goes."""
    shop.rig.sandbox.faults.add(Fault("error_before", vendor="freshbooks", times=None, status=503))
    deal = shop.deal("100.00")
    shop.issue(deal)
    for path in ("/app/activity", f"/app/activity/deal:{deal.id}"):
        page = let_in(shop.rig).get(path).text
        asking = page.split('hx-trigger="every')[1]
        assert asking.partition(">")[2].startswith("</span>"), path
        assert 'hx-get="/app/activity' in page, path


@pytest.mark.parametrize(
    "query",
    ["since=0001-01-01", "until=9999-12-31"],
)
def test_a_day_beyond_all_days_is_a_sentence(shop: Shop, query: str) -> None:
    page = let_in(shop.rig).get(f"/app/activity?{query}")
    assert page.status_code == 200
    assert "A day is written like" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/app/activity?before=0001-01-01T00:00:00%2B14:00_0_1",
        "/app/activity?before=9999-12-31T23:59:59-14:00_0_1",
        "/app/activity/deal%3A1%00",
        "/app/what-if/99999999999",
    ],
)
def test_what_no_database_takes_is_not_there(shop: Shop, path: str) -> None:
    assert let_in(shop.rig).get(path).status_code == 404


def test_a_deal_that_is_billed_already_is_shown_so(shop: Shop) -> None:
    deal = shop.deal("100.00")
    shop.issue(deal)
    page = let_in(shop.rig).get(f"/app/preview?deal={deal.id}").text
    assert "already billed" in page
    assert "would be billed" not in page
