"""Tasks, notes, users, events, widgets (kommo.md §4.8 – §4.10)."""

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox.kommo.book.records import WON
from tests.sandbox.kommo.calls import CLIENT_ID, Kommo, errors

pytestmark = pytest.mark.quirk


def rows(reply: Any, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reply.json()["_embedded"][key]
    return found


def test_a_task_is_made_found_and_closed_with_a_result(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    row = {
        "text": "Check the e-mail",
        "complete_till": kommo.sandbox.clock.timestamp() + 3600,
        "entity_id": deal.id,
        "entity_type": "leads",
        "request_id": "r1",
    }
    (made,) = rows(kommo.post("tasks", [row]), "tasks")
    assert made["request_id"] == "r1"
    filters = {
        "filter[entity_type]": "leads",
        "filter[entity_id]": deal.id,
        "filter[is_completed]": 0,
    }
    (task,) = rows(kommo.get("tasks", **filters), "tasks")
    assert (task["id"], task["result"]) == (made["id"], [])
    assert task["responsible_user_id"] == kommo.account.admin.id
    assert kommo.get(f"leads/{deal.id}").json()["closest_task_at"] == row["complete_till"]
    close = {"is_completed": True, "result": {"text": "Mended"}}
    assert kommo.patch(f"tasks/{made['id']}", close).status_code == 200
    assert kommo.get(f"tasks/{made['id']}").json()["result"] == {"text": "Mended"}
    assert kommo.get("tasks", **filters).status_code == 204


def test_a_task_needs_text_and_time_and_a_living_card(kommo: Kommo) -> None:
    assert errors(kommo.post("tasks", [{"text": "X"}])) == [("0", "FieldMissing", "complete_till")]
    lost = {"text": "X", "complete_till": 1, "entity_id": 1, "entity_type": "leads"}
    assert errors(kommo.post("tasks", [lost])) == [("0", "NotSupportedChoice", "entity_id")]
    nobody = {"text": "X", "complete_till": 1, "responsible_user_id": 1}
    assert errors(kommo.post("tasks", [nobody])) == [
        ("0", "NotSupportedChoice", "responsible_user_id")
    ]


def test_notes_belong_to_a_card_and_have_no_route_of_their_own(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    note = {"note_type": "service_message", "params": {"service": "Acme", "text": "Paid"}}
    (made,) = rows(kommo.post(f"leads/{deal.id}/notes", [note]), "notes")
    assert made["entity_id"] == deal.id
    (read,) = rows(kommo.get("leads/notes", **{"filter[entity_id][]": deal.id}), "notes")
    assert read["params"] == {"service": "Acme", "text": "Paid"}
    assert kommo.get("notes").status_code == 404


def test_a_note_of_an_unknown_type_or_without_params_is_refused(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    bad = [
        {"note_type": "poem", "params": {"text": "x"}},
        {"note_type": "service_message", "params": {"text": "x"}},
    ]
    assert errors(kommo.post(f"leads/{deal.id}/notes", bad)) == [
        ("0", "NotSupportedChoice", "note_type"),
        ("1", "FieldMissing", "params.service"),
    ]


def test_users_are_for_admins(kommo: Kommo) -> None:
    manager = kommo.account.add_user("Mark Reed", "mark@x.example")
    found = rows(kommo.get("users", **{"with": "role,group"}), "users")
    assert [row["rights"]["is_admin"] for row in found] == [True, False]
    assert found[0]["_embedded"] == {"roles": [], "groups": []}
    assert kommo.get(f"users/{manager.id}").json()["email"] == "mark@x.example"
    kommo.connect(manager.id)
    assert kommo.get("users").status_code == 403


def test_a_move_is_an_event_with_both_stages(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    pipeline, old = deal.pipeline_id, deal.status_id
    kommo.account.move_deal(deal.id, WON)
    params = {"filter[type][]": "lead_status_changed", "filter[entity]": "lead"}
    (event,) = rows(kommo.get("events", **params), "events")
    assert isinstance(event["id"], str)
    assert (event["entity_id"], event["entity_type"]) == (deal.id, "lead")
    assert event["value_after"] == [{"lead_status": {"id": WON, "pipeline_id": pipeline}}]
    assert event["value_before"] == [{"lead_status": {"id": old, "pipeline_id": pipeline}}]


def test_a_new_lead_is_an_event_without_its_stage_unless_switched(kommo: Kommo) -> None:
    kommo.account.add_deal("Desk")
    kommo.sandbox.kommo.switches.lead_added_has_status = True
    deal = kommo.account.add_deal("Chair", stage_id=WON)
    newest, oldest = rows(kommo.get("events", **{"filter[type]": "lead_added"}), "events")
    assert oldest["value_after"] == []
    assert newest["value_after"] == [{"lead_status": {"id": WON, "pipeline_id": deal.pipeline_id}}]


def test_events_are_filtered_by_time_id_and_stage(kommo: Kommo) -> None:
    first = kommo.account.add_deal("A")
    kommo.account.move_deal(first.id, WON)
    kommo.sandbox.clock.advance(timedelta(minutes=10))
    since = kommo.sandbox.clock.timestamp()
    second = kommo.account.add_deal("B")
    kommo.account.move_deal(second.id, kommo.account.main_pipeline.stage("Offer").id)

    def ids(**params: Any) -> list[int]:
        reply = kommo.get("events", **{"filter[type]": "lead_status_changed", **params})
        return [] if reply.status_code == 204 else [r["entity_id"] for r in rows(reply, "events")]

    assert ids() == [second.id, first.id]
    assert ids(**{"filter[created_at][from]": since}) == [second.id]
    assert ids(**{"filter[created_at][to]": since - 1}) == [first.id]
    assert ids(**{"filter[entity]": "lead", "filter[entity_id][]": first.id}) == [first.id]
    stage = {
        "filter[value_after][leads_statuses][0][pipeline_id]": first.pipeline_id,
        "filter[value_after][leads_statuses][0][status_id]": WON,
    }
    assert ids(**stage) == [first.id]


def test_events_are_filtered_by_the_stage_that_was_left(kommo: Kommo) -> None:
    offer = kommo.account.main_pipeline.stage("Offer").id
    first, second = kommo.account.add_deal("A"), kommo.account.add_deal("B")
    for deal in (first, second):
        kommo.account.move_deal(deal.id, offer)
    kommo.account.move_deal(first.id, WON)
    left = {
        "filter[type]": "lead_status_changed",
        "filter[value_before][leads_statuses][0][pipeline_id]": first.pipeline_id,
        "filter[value_before][leads_statuses][0][status_id]": offer,
    }
    assert [row["entity_id"] for row in rows(kommo.get("events", **left), "events")] == [first.id]
    kommo.sandbox.kommo.switches.event_stage_filter = False
    assert len(rows(kommo.get("events", **left), "events")) == 3


def test_events_come_a_hundred_a_page_and_ten_ids_a_filter(kommo: Kommo) -> None:
    for number in range(130):
        kommo.account.add_deal(f"Deal {number}")
    assert errors(kommo.get("events", limit=250)) == [("0", "InvalidValue", "limit")]
    first = kommo.get("events", limit=100)
    assert len(rows(first, "events")) == 100
    second = kommo.send("GET", first.json()["_links"]["next"]["href"])
    assert len(rows(second, "events")) == 30
    many = {"filter[entity]": "lead", "filter[entity_id][]": list(range(11))}
    assert errors(kommo.get("events", **many)) == [("0", "InvalidValue", "filter.entity_id")]
    bare = {"filter[entity_id][]": 5}
    assert errors(kommo.get("events", **bare)) == [("0", "InvalidValue", "filter.entity")]


def test_by_a_switch_events_lag(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.events_lag_seconds = 60
    kommo.account.add_deal("Desk")
    assert kommo.get("events").status_code == 204
    kommo.sandbox.clock.advance(timedelta(seconds=60))
    assert len(rows(kommo.get("events"), "events")) == 1


def test_changes_of_a_deal_leave_events(kommo: Kommo) -> None:
    field = kommo.account.add_field("leads", "text", "PO", "PO")
    contact = kommo.account.add_contact("Ann Lee")
    deal = kommo.account.add_deal("Desk", "10")
    kommo.account.update_deal(deal.id, name="Chair", price="12", fields={"PO": "7"})
    row = {"to_entity_id": contact.id, "to_entity_type": "contacts"}
    kommo.post(f"leads/{deal.id}/link", [row])
    kommo.account.delete_deal(deal.id)
    kommo.account.restore_deal(deal.id)
    params = {"filter[entity]": "lead", "filter[entity_id]": deal.id}
    kinds = [event["type"] for event in rows(kommo.get("events", **params), "events")]
    assert kinds == [
        "lead_restored",
        "lead_deleted",
        "entity_linked",
        f"custom_field_{field.id}_value_changed",
        "name_field_changed",
        "sale_field_changed",
        "lead_added",
    ]
    by_any = rows(kommo.get("events", **{"filter[type]": "custom_field_value_changed"}), "events")
    assert by_any[0]["value_after"][0]["custom_field_value"]["text"] == "7"


def test_an_update_that_changes_nothing_leaves_no_field_event(kommo: Kommo) -> None:
    kommo.account.add_field("leads", "text", "PO", "PO")
    deal = kommo.account.add_deal("Desk", fields={"PO": "7"})
    kommo.account.update_deal(deal.id, fields={"PO": "7"})
    kinds = [event.type for event in kommo.account.events]
    assert kinds == ["lead_added"]


def test_a_widgets_settings_are_for_its_own_integration(kommo: Kommo) -> None:
    kommo.account.install_widget(CLIENT_ID)
    (widget,) = rows(kommo.get("widgets"), "widgets")
    assert widget["client_uuid"] == CLIENT_ID
    assert "settings" in widget
    kommo.sandbox.kommo.register_integration("other", "s", "http://127.0.0.1:1/x")
    kommo.token = kommo.account.issue_long_lived("other")
    assert "settings" not in kommo.get(f"widgets/{widget['code']}").json()


def test_tags_have_their_own_list(kommo: Kommo) -> None:
    assert kommo.get("leads/tags").status_code == 204
    (made,) = rows(kommo.post("leads/tags", [{"name": "vip", "request_id": "t"}]), "tags")
    assert (made["name"], made["request_id"]) == ("vip", "t")
    assert rows(kommo.get("leads/tags"), "tags")[0]["id"] == made["id"]
