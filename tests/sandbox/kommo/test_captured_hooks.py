"""The hooks that the sandbox sends have the keys of captured ones, in their order."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from server.sandbox.kommo.book.records import Actor
from tests.sandbox.kommo.calls import CLIENT_ID, Kommo

captured = pytest.mark.cases("kommo hook shapes")
Act = Callable[[Kommo], object]


def keys(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Keys in order, row numbers taken out, each once."""
    return list(dict.fromkeys(re.sub(r"\[\d+\]", "[n]", key) for key, _ in pairs))


def of_body(body: str) -> list[str]:
    return keys(parse_qsl(body, keep_blank_values=True))


def listen(kommo: Kommo, *codes: str) -> None:
    kommo.account.subscribe("http://127.0.0.1:1/hook", list(codes))


def on_stage(kommo: Kommo, **more: Any) -> int:
    stage = kommo.account.main_pipeline.stage("Issue invoice")
    kommo.account.add_dp_hook(stage.pipeline_id, stage.id, "http://127.0.0.1:1/dp", **more)
    return stage.id


def stage_add(kommo: Kommo) -> None:
    kommo.account.add_deal("Desk", stage_id=on_stage(kommo))


def stage_move(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    kommo.account.move_deal(deal.id, on_stage(kommo))


def stage_move_as_json(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.dp_json = True
    stage_move(kommo)


def widget_action(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    stage = on_stage(kommo, widget_settings={"key": "K", "groupId": "g"})
    kommo.account.move_deal(deal.id, stage)


def full_status(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.account_block_first = False
    add = kommo.account.add_field
    add("leads", "text", "Serial")
    add("leads", "date", "When")
    add("leads", "select", "State", enums=["Scratched"])
    fields: dict[int | str, Any] = {"Serial": "1", "When": 1772452800, "State": "Scratched"}
    deal = kommo.account.add_deal("Phone", 1, tags=["walk-in"], fields=fields)
    listen(kommo, "status_lead")
    kommo.account.move_deal(deal.id, 142)


def lead_added(kommo: Kommo) -> None:
    listen(kommo, "add_lead")
    kommo.account.add_deal("Desk", 0)


def updated_by_api(kommo: Kommo) -> None:
    kommo.account.add_field("leads", "text", "Number")
    deal = kommo.account.add_deal("Desk", 0, fields={"Number": "1"})
    listen(kommo, "update_lead")
    kommo.patch(f"leads/{deal.id}", {"name": "Chair"})


def lead_deleted(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    listen(kommo, "delete_lead")
    kommo.account.delete_deal(deal.id)


def updated_without_price(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    listen(kommo, "update_lead")
    by = Actor(kommo.account.admin.id, CLIENT_ID, as_robot=True)
    kommo.account.change_deal(deal, {"name": ""}, by)


def contact_added(kommo: Kommo) -> None:
    listen(kommo, "add_contact")
    kommo.account.add_contact("Ann Lee")


def update_of_tags(kommo: Kommo) -> None:
    kommo.account.add_field("leads", "text", "Master")
    deal = kommo.account.add_deal("", 0, tags=["a", "b"], fields={"Master": "1"})
    listen(kommo, "update_lead")
    deal.name = ""
    kommo.account.update_deal(deal.id, fields={"Master": "2"})


SCENES: dict[str, Act] = {
    "dp_add_min": stage_add,
    "dp_status_1": stage_move,
    "dp_status_3": stage_move,
    "dp_status_yandex_2023": stage_move,
    "dp_status_ru_2020": stage_move,
    "dp_widget_form": widget_action,
    "status_full_custom_fields": full_status,
    "add_2025": lead_added,
    "lead_add_2025_headers": lead_added,
    "update_by_api_2025": updated_by_api,
    "lead_update_2025_headers": updated_by_api,
    "delete_2025": lead_deleted,
    "update_noprice_1": updated_without_price,
    "contact_add_2025": contact_added,
}


def case(cases: Path, name: str) -> dict[str, Any]:
    rows = json.loads((cases / "kommo/webhooks/webhooks.json").read_text("utf-8"))
    (row,) = [row for row in rows if row["name"] == name]
    row["text"] = (cases / "kommo/webhooks" / row["file"]).read_text("utf-8")
    return dict(row)


@captured
@pytest.mark.parametrize("name", SCENES)
def test_the_hook_has_the_captured_keys(cases: Path, kommo: Kommo, name: str) -> None:
    SCENES[name](kommo)
    (hook,) = [hook for hook in kommo.sandbox.deliveries.history if hook.method == "POST"]
    ours = of_body(hook.body.decode())
    theirs = of_body(case(cases, name)["text"])
    if name == "dp_widget_form":  # values of that case are not captured, nor their order
        ours, theirs = sorted(ours), sorted(theirs)
    assert ours == theirs


@captured
def test_an_update_of_tags_has_the_captured_keys(cases: Path, kommo: Kommo) -> None:
    """That capture lacks the name, which the others have even when it is empty."""
    update_of_tags(kommo)
    (body,) = kommo.hook_bodies()
    ours = [key for key in of_body(body.decode()) if not key.endswith("[n][name]") or "tags" in key
            or "custom" in key]  # fmt: skip
    assert ours == of_body(case(cases, "update_tags_2024")["text"])


@captured
def test_the_json_form_has_the_documented_keys(cases: Path, kommo: Kommo) -> None:
    stage_move_as_json(kommo)
    (body,) = kommo.hook_bodies()
    documented = json.loads(case(cases, "dp_json_docs_status")["text"])
    ours = json.loads(body)
    assert ours.keys() == documented.keys()
    assert ours["leads"]["status"][0].keys() == documented["leads"]["status"][0].keys()


@captured
@pytest.mark.parametrize("name", ["lead_add_2025_headers", "dp_status_yandex_2023"])
def test_the_headers_are_the_captured_ones(cases: Path, kommo: Kommo, name: str) -> None:
    SCENES[name](kommo)
    (hook,) = [hook for hook in kommo.sandbox.deliveries.history if hook.method == "POST"]
    ours = {key.lower() for key in hook.headers}
    theirs = case(cases, name)["headers"]
    assert ours == theirs.keys() - {"content-length", "uber-trace-id"}
    for header in ("user-agent", "content-type", "accept-encoding"):
        assert {k.lower(): v for k, v in hook.headers.items()}[header] == theirs[header]
