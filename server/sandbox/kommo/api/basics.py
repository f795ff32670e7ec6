"""``/api/v4/account``, users, tags, currencies and widgets (§4.1, §4.10)."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.feed import TASK_TYPES
from server.sandbox.kommo.book.records import User

basics = Blueprint("basics", __name__, url_prefix="/api/v4")

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


@basics.get("/account")
def read_account() -> Response:
    account = here.account()
    body: dict[str, Any] = {
        "id": account.account_id,
        "name": account.name,
        "subdomain": account.subdomain,
        "created_at": account.created_at,
        "created_by": account.owner().user_id,
        "updated_at": account.created_at,
        "updated_by": account.owner().user_id,
        "current_user_id": here.actor().user_id,
        "country": "LT",
        "currency": account.currency,
        "currency_symbol": SYMBOLS.get(account.currency, account.currency),
        "customers_mode": "unavailable",
        "is_unsorted_on": True,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
        "mobile_feature_version": 0,
        "_links": here.self_link("account"),
    }
    embedded: dict[str, Any] = {}
    for name, extra in _extras().items():
        if name in here.with_():
            (embedded if name in EMBEDDED else body)[name] = extra
    return here.reply({**body, "_embedded": embedded} if embedded else body)


EMBEDDED = ("users_groups", "task_types", "datetime_settings", "entity_names", "invoices_settings")


def _extras() -> dict[str, Any]:
    account = here.account()
    return {
        "amojo_id": "5e1cbd3e-9c6b-4f0d-8f3e-3a1f2f4c7f10",
        "uuid": "4f6b3c2a-1f0e-4b57-9c4d-6e1d2a9b8c70",
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "version": 10,
        "drive_url": f"http://{account.host}/drive",
        "is_api_filter_enabled": True,
        "users_groups": [{"id": 0, "name": "Sales", "uuid": None}],
        "task_types": [
            {"id": kind, "name": code.replace("_", " ").capitalize(), "color": None,
             "icon_id": None, "code": code}
            for kind, code in TASK_TYPES.items()
        ],
        "entity_names": {"leads": {"ru": {}, "en": {}}},
        "datetime_settings": _datetime_settings(),
        "invoices_settings": None,
    }  # fmt: skip


def _datetime_settings() -> dict[str, Any]:
    zone = ZoneInfo(here.account().timezone)
    offset = here.account().clock.now().astimezone(zone).utcoffset() or timedelta(0)
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return {
        "date_pattern": "d.m.Y H:i",
        "short_date_pattern": "d.m.Y",
        "short_time_pattern": "H:i",
        "date_formant": "d.m.Y",  # the documentation spells it so
        "date_format": "d.m.Y",
        "time_format": "H:i:s",
        "timezone": here.account().timezone,
        "timezone_offset": f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}",
    }


@basics.get("/users")
def read_users() -> Response:
    here.need_admin()
    return paging.page(list(here.account().users.values()), "users", _user, totals=True)


@basics.get("/users/<int:user_id>")
def read_user(user_id: int) -> Response:
    here.need_admin()
    user = here.account().users.get(user_id)
    if user is None:
        raise Problem(404)
    return here.reply(_user(user))


def _user(row: User) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "lang": row.lang,
        "rights": {
            **row.rights,
            "mail_access": row.is_admin,
            "catalog_access": True,
            "status_rights": None,
            "is_admin": row.is_admin,
            "is_free": row.is_free,
            "is_active": row.is_active,
            "group_id": row.group_id,
            "role_id": None,
        },
        "_links": here.self_link("users", row.id),
    }
    embedded: dict[str, list[Any]] = {
        f"{name}s": [] for name in ("role", "group") if name in here.with_()
    }
    for name in ("uuid", "amojo_id", "user_rank", "phone_number"):
        if name in here.with_():
            body[name] = None
    return {**body, "_embedded": embedded} if embedded else body


@basics.get("/<any(leads, contacts, companies):entity>/tags")
def read_tags(entity: str) -> Response:
    tags = here.account().tags.get(entity, [])
    return paging.page(
        tags, "tags", lambda tag: {"id": tag.id, "name": tag.name, "color": tag.color}, totals=True
    )


@basics.post("/<any(leads, contacts, companies):entity>/tags")
def create_tags(entity: str) -> Response:
    bodies = here.rows(frozenset({"name", "color", "request_id"}))
    made = []
    for index, row in enumerate(bodies):
        (tag,) = here.account().tagged(entity, [{"name": row.get("name")}])
        tag.color = row.get("color")
        made.append(
            {"id": tag.id, "name": tag.name, "color": tag.color,
             "request_id": here.request_id(row, index)}
        )  # fmt: skip
    return paging.whole("tags", made)


@basics.get("/currencies")
def read_currencies() -> Response:
    rows = [{"code": code, "symbol": symbol} for code, symbol in SYMBOLS.items()]
    return paging.whole("currencies", rows)


@basics.get("/widgets")
def read_widgets() -> Response:
    return paging.page(list(here.account().widgets.values()), "widgets", _widget)


@basics.get("/widgets/<code>")
def read_widget(code: str) -> Response:
    return here.reply(_widget(_known_widget(code)))


@basics.post("/widgets/<code>")
def install_widget(code: str) -> Response:
    here.need_admin()
    widget = _known_widget(code)
    widget |= {"is_active_in_account": True, "settings": here.one(frozenset())}
    return here.reply(_widget(widget))


@basics.delete("/widgets/<code>")
def uninstall_widget(code: str) -> Response:
    here.need_admin()
    _known_widget(code)["is_active_in_account"] = False
    return Response(status=204)


def _known_widget(code: str) -> dict[str, Any]:
    widget = here.account().widgets.get(code)
    if widget is None:
        raise Problem(404)
    return widget


def _widget(row: dict[str, Any]) -> dict[str, Any]:
    """``settings`` are for the integration that the widget belongs to."""
    own = row["client_uuid"] == here.actor().client_id
    shown = row if own else {key: value for key, value in row.items() if key != "settings"}
    return {**shown, "_links": here.self_link("widgets", row["code"])}
