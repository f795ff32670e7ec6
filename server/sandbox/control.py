"""The sandbox's own API: clock, faults, switches, hooks and state, for whoever is another process.

GET|POST   /_clock        {"now", "frozen"} · {"advance": seconds} | {"set": iso} | {"frozen": bool}
GET|POST|DELETE /_faults  the list · add one · remove all; DELETE /_faults/<id> removes one
GET|POST   /_switches     {"kommo": {...}, "freshbooks": {...}} · the same, partial, to change them
GET|POST   /_deliveries   hooks sent and waiting · {"deliver_due"|"hold"|"release": true,
                          "drop_next"|"duplicate_next"|"reorder_next": n}
GET        /_state        what both vendors hold, in short
"""

import json
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, request

from .desk import blueprint as desk_page
from .faults import KINDS, Fault

if TYPE_CHECKING:
    from . import Sandbox

control = Blueprint("control", __name__)


class BadOrder(ValueError):
    """The control call asked for something that does not exist."""


def control_app(sandbox: "Sandbox") -> Flask:
    """The control app, with the human page at "/"."""
    app = Flask("sandbox_control", static_folder=None)
    app.extensions["sandbox"] = sandbox
    app.register_blueprint(control)
    app.register_blueprint(desk_page(sandbox))
    app.register_error_handler(BadOrder, lambda error: _json({"error": str(error)}, 400))
    return app


def _sandbox() -> "Sandbox":
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, default=_plain), status, content_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def _order() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadOrder("send a JSON object")
    return body


@control.get("/_clock")
def clock_now() -> Response:
    clock = _sandbox().clock
    return _json({"now": clock.now(), "frozen": clock.frozen})


@control.post("/_clock")
def clock_move() -> Response:
    clock, order = _sandbox().clock, _order()
    try:
        if "frozen" in order:
            clock.freeze(bool(order["frozen"]))
        if "set" in order:
            clock.set(datetime.fromisoformat(str(order["set"])))
        if "advance" in order:
            clock.advance(timedelta(seconds=float(order["advance"])))
    except (ValueError, OverflowError) as error:
        raise BadOrder(str(error)) from error
    return clock_now()


@control.get("/_faults")
def faults_list() -> Response:
    return _json({"faults": [f.as_dict() for f in _sandbox().faults.list()], "kinds": KINDS})


@control.post("/_faults")
def faults_add() -> Response:
    order = _order()
    known = {field.name for field in fields(Fault)} - {"id"}
    if unknown := set(order) - known:
        raise BadOrder(f"unknown keys: {', '.join(sorted(unknown))}")
    if order.get("until") is not None:
        order["until"] = datetime.fromisoformat(str(order["until"]))
    try:
        fault = _sandbox().faults.add(Fault(**order))
    except (TypeError, ValueError) as error:
        raise BadOrder(str(error)) from error
    return _json(fault.as_dict(), 201)


@control.delete("/_faults")
def faults_clear() -> Response:
    _sandbox().faults.clear()
    return Response(status=204)


@control.delete("/_faults/<int:fault_id>")
def faults_remove(fault_id: int) -> Response:
    found = _sandbox().faults.remove(fault_id)
    return Response(status=204) if found else _json({"error": "no such fault"}, 404)


@control.get("/_switches")
def switches_show() -> Response:
    worlds: dict[str, Any] = {"kommo": _sandbox().kommo, "freshbooks": _sandbox().freshbooks}
    return _json({name: asdict(world.switches) for name, world in worlds.items()})


@control.post("/_switches")
def switches_change() -> Response:
    worlds: dict[str, Any] = {"kommo": _sandbox().kommo, "freshbooks": _sandbox().freshbooks}
    for vendor, changes in _order().items():
        if vendor not in worlds or not isinstance(changes, dict):
            raise BadOrder(f"no such vendor: {vendor}")
        switches = worlds[vendor].switches
        for name, value in changes.items():
            if name not in {field.name for field in fields(switches)}:
                raise BadOrder(f"{vendor} has no switch {name!r}")
            setattr(switches, name, value)
    return switches_show()


@control.get("/_deliveries")
def deliveries_show() -> Response:
    return _json({"deliveries": [hook.as_dict() for hook in _sandbox().deliveries.history]})


@control.post("/_deliveries")
def deliveries_order() -> Response:
    deliveries, order = _sandbox().deliveries, _order()
    for name in ("drop_next", "duplicate_next", "reorder_next"):
        if name in order:
            getattr(deliveries, name)(int(order[name]))
    for name in ("hold", "release", "deliver_due"):
        if order.get(name):
            getattr(deliveries, name)()
    return deliveries_show()


@control.get("/_state")
def state_show() -> Response:
    return _json({"kommo": _sandbox().kommo.state(), "freshbooks": _sandbox().freshbooks.state()})
