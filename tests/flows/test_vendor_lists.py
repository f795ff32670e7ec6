"""Kommo's lists for pickers: cached, read again, and never a page that waits or fails."""

from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

import pytest

from server.core.settings import validate
from server.flows import glance, pipelines, product_lists
from server.flows.vendor_lists import FRESH, Lists, lists_of, missing_in
from server.sandbox import Fault
from server.store import accounts, calls
from server.store.calls import CallRow
from tests.rig import Rig


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """What goes on behind a page ends with its test."""
    yield
    assert glance.settle()


def asked(rig: Rig) -> int:
    """How many calls Kommo has had."""
    return len(rig.sandbox.kommo.calls)


def test_the_lists_are_read_once_in_ten_minutes(rig: Rig) -> None:
    first = lists_of(rig.world, rig.account_id)
    assert first.notice == ""
    assert [one.name for one in first.pipelines] == ["Sales"]
    before = asked(rig)
    assert lists_of(rig.world, rig.account_id) == first
    assert asked(rig) == before
    rig.kommo.add_pipeline("Service")
    rig.clock.advance(FRESH)
    assert [one.name for one in lists_of(rig.world, rig.account_id).pipelines] == [
        "Sales",
        "Service",
    ]


def test_fresh_reads_them_again_at_once(rig: Rig) -> None:
    lists_of(rig.world, rig.account_id)
    made = rig.kommo.add_field("leads", "text", "Order")
    assert lists_of(rig.world, rig.account_id).field(f"deal.cf.{made.id}") is None
    fresh = lists_of(rig.world, rig.account_id, fresh=True)
    assert fresh.field(f"deal.cf.{made.id}") is not None
    assert lists_of(rig.world, rig.account_id) == fresh


def test_an_answer_without_any_fields_does_not_empty_the_list(rig: Rig) -> None:
    made = rig.kommo.add_field("leads", "text", "Order")
    known = lists_of(rig.world, rig.account_id)
    where = "GET /api/v4/leads/custom_fields"
    rig.sandbox.faults.add(Fault("error_before", where, "kommo", status=404))
    assert lists_of(rig.world, rig.account_id, fresh=True).fields == known.fields
    assert lists_of(rig.world, rig.account_id).field(f"deal.cf.{made.id}")


def test_jobs_find_the_stages_and_product_lists_that_were_read(rig: Rig) -> None:
    catalog = rig.kommo.add_catalog("Products")
    lists = lists_of(rig.world, rig.account_id, fresh=True)
    since = rig.clock.now() - timedelta(minutes=1)

    def kept(name: str) -> object:
        return rig.in_database(lambda s: calls.cached(s, rig.account_id, name, since))

    (pipeline,) = lists.pipelines
    stages = [stage.stage_id for stage in pipeline.stages]
    assert kept(pipelines.CACHE) == {str(pipeline.pipeline_id): stages}
    assert kept(product_lists.CACHE) == {"ids": [catalog.id]}


def test_the_calls_of_a_look_are_noted(rig: Rig) -> None:
    lists_of(rig.world, rig.account_id, fresh=True)
    paths = rig.in_database(lambda s: [row.path for row in s.query(CallRow) if row.job_id is None])
    assert "/api/v4/leads/pipelines" in paths


def test_a_dead_kommo_shows_the_last_lists_of_any_age_and_says_so(rig: Rig) -> None:
    known = lists_of(rig.world, rig.account_id)
    rig.clock.advance(timedelta(hours=20))
    rig.sandbox.faults.add(Fault("error_before", vendor="kommo", status=503, times=None))
    old = lists_of(rig.world, rig.account_id)
    assert (old.pipelines, old.fields, old.fetched_at) == (
        known.pipelines,
        known.fields,
        known.fetched_at,
    )
    assert old.notice == "Kommo answered 503. What you see here is what Kommo told last."


def test_a_dead_kommo_is_not_asked_for_every_page(rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("error_before", vendor="kommo", status=503, times=None))
    nothing = lists_of(rig.world, rig.account_id)
    assert not nothing.is_known
    assert nothing.notice.endswith("cannot be shown yet. Try again in a minute.")
    before = asked(rig)
    assert lists_of(rig.world, rig.account_id).notice == nothing.notice
    assert asked(rig) == before
    rig.sandbox.faults.clear()
    assert lists_of(rig.world, rig.account_id, fresh=True).is_known
    assert lists_of(rig.world, rig.account_id).notice == ""


def test_a_slow_kommo_costs_a_page_its_seconds_and_the_next_one_has_the_answer(rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("slow", match="GET /api/v4/leads/pipelines", seconds=1.0))
    began = monotonic()
    slow = lists_of(rig.world, rig.account_id, seconds=0.2)
    assert monotonic() - began < 0.9
    assert slow.notice.startswith("Kommo does not answer in time.")
    assert glance.settle()
    assert lists_of(rig.world, rig.account_id).notice == ""
    assert lists_of(rig.world, rig.account_id).is_known


def test_two_pages_that_ask_at_once_make_one_reading(rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("slow", match="GET /api/v4/leads/pipelines", seconds=0.5))
    before = asked(rig)
    lists_of(rig.world, rig.account_id, seconds=0.1)
    lists_of(rig.world, rig.account_id, fresh=True)
    read = [call for call in rig.sandbox.kommo.calls[before:] if call[1].endswith("/pipelines")]
    assert len(read) == 1


def test_access_that_has_ended_asks_to_connect_again(rig: Rig) -> None:
    known = lists_of(rig.world, rig.account_id)
    row = rig.connection("kommo")
    with rig.database.write() as session:
        accounts.mark_connection(session, row.id, state="reconnect")
    old = lists_of(rig.world, rig.account_id, fresh=True)
    assert old.pipelines == known.pipelines
    assert "Connect Kommo again." in old.notice
    with rig.database.write() as session:
        accounts.mark_connection(session, row.id, state="connected")
    rig.clock.advance(FRESH)
    assert lists_of(rig.world, rig.account_id).notice == ""


def test_an_account_without_kommo_is_told_so(bare_rig: Rig) -> None:
    bare_rig.connect_kommo()
    bare_rig.connect_freshbooks()
    with bare_rig.database.write() as session:
        accounts.mark_connection(session, bare_rig.connection("kommo").id, state="disconnected")
    lists = lists_of(bare_rig.world, bare_rig.account_id)
    assert not lists.is_known
    assert "Connect Kommo again." in lists.notice


def test_saved_settings_leave_the_lists_as_they_are(rig: Rig) -> None:
    known = lists_of(rig.world, rig.account_id)
    rig.settings({"rules": [], "mapping": {}})
    rig.sandbox.faults.add(Fault("error_before", vendor="kommo", status=503, times=None))
    assert lists_of(rig.world, rig.account_id) == known


def document(rig: Rig, **parts: object) -> object:
    pipeline = next(iter(rig.kommo.pipelines.values()))
    place = {"pipeline_id": pipeline.id, "stage_id": pipeline.stage("Issue invoice").id}
    rule = {"slug": "r", "name": "Issue", "when": [place], **parts}
    return {"rules": [rule], "mapping": {}}


def test_a_stage_and_a_field_that_were_deleted_are_named_with_their_place(rig: Rig) -> None:
    field = rig.kommo.add_field("leads", "text", "Order")
    sales = next(iter(rig.kommo.pipelines.values()))
    offer, gone = sales.stage("Offer").id, 999
    settings = validate(
        {
            "rules": [
                {
                    "slug": "r",
                    "name": "Issue",
                    "when": [
                        {"pipeline_id": sales.id, "stage_id": offer},
                        {"pipeline_id": sales.id, "stage_id": gone},
                        {"pipeline_id": gone, "stage_id": 142},
                    ],
                    "conditions": [{"field": f"deal.cf.{field.id}", "is": "filled"}],
                }
            ],
            "mapping": {
                "notes": {"text": f"Order {{deal.cf.{field.id}}} of {{contact.code.EMAIL}}"},
                "lines": {"description": {"field": "product.cf.77"}, "catalogs": [gone]},
            },
        }
    )
    lists = lists_of(rig.world, rig.account_id)
    stage_gone, pipeline_gone, list_gone, product_field = missing_in(settings, lists)
    assert stage_gone[0] == "rules.0.when.1.stage_id"
    assert "“Issue” names a stage that does not exist any more" in stage_gone[1]
    assert pipeline_gone[0] == "rules.0.when.2.pipeline_id"
    assert list_gone[0] == "mapping.lines.catalogs.0"
    assert product_field[0] == "mapping.lines.description"
    rig.kommo.delete_field(field.id)
    later = missing_in(settings, lists_of(rig.world, rig.account_id, fresh=True))
    known = (stage_gone, pipeline_gone, list_gone, product_field)
    assert [path for path, _ in later if path not in dict(known)] == [
        "rules.0.conditions.0.field",
        "mapping.notes",
    ]


def test_nothing_is_missing_where_nothing_is_known(rig: Rig) -> None:
    settings = validate(document(rig, conditions=[{"field": "deal.cf.77", "is": "filled"}]))
    assert missing_in(settings, Lists()) == []
