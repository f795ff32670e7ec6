"""Kommo's replies in our words: small readers that name only what we use.

A reader raises KeyError, TypeError or ValueError on a foreign shape; ``api`` turns that into
*Kommo answered something else*. Source: reference kommo §3.1, §4.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from server.core.clock import known_zone

Row = dict[str, Any]


@dataclass(frozen=True)
class KommoAccount:
    """``currency`` is the ISO code of every deal's price; ``timezone`` an IANA name;
    ``server_time`` Kommo's clock when it answered, aware UTC.
    """

    id: int
    name: str
    subdomain: str
    currency: str
    timezone: str
    server_time: datetime | None = None


@dataclass(frozen=True)
class Stage:
    id: int
    name: str
    sort: int = 0
    is_incoming: bool = False  # unsorted deals, not yet accepted
    color: str = ""


@dataclass(frozen=True)
class Pipeline:
    id: int
    name: str
    stages: tuple[Stage, ...]
    is_main: bool = False
    is_archived: bool = False


@dataclass(frozen=True)
class StageEvent:
    """A deal entered a stage at ``at``. Both places are None where Kommo's event names none, as
    for a created deal; the old one also for a deal that was created into the stage.
    """

    event_id: str
    deal_id: int
    pipeline_id: int | None
    stage_id: int | None
    at: datetime
    old_pipeline_id: int | None = None
    old_stage_id: int | None = None
    is_creation: bool = False


@dataclass(frozen=True)
class Webhook:
    id: int
    destination: str = field(repr=False)  # its path is a secret
    disabled: bool
    settings: tuple[str, ...]


@dataclass(frozen=True)
class KommoTask:
    id: int
    text: str
    is_completed: bool
    responsible_user_id: int | None


def read_account(body: Row, date_header: str = "") -> KommoAccount:
    settings = (body.get("_embedded") or {}).get("datetime_settings") or {}
    return KommoAccount(
        id=int(body["id"]),
        name=str(body["name"]),
        subdomain=str(body["subdomain"]),
        currency=str(body["currency"]).upper(),
        timezone=known_zone(settings.get("timezone")),
        server_time=_date(date_header),
    )


def read_pipeline(row: Row) -> Pipeline:
    return Pipeline(
        id=int(row["id"]),
        name=str(row["name"]),
        stages=tuple(read_stage(stage) for stage in row["_embedded"]["statuses"]),
        is_main=bool(row.get("is_main")),
        is_archived=bool(row.get("is_archive")),
    )


def read_stage(row: Row) -> Stage:
    return Stage(
        id=int(row["id"]),
        name=str(row["name"]),
        sort=int(row.get("sort") or 0),
        is_incoming=row.get("type") == 1,
        color=str(row.get("color") or ""),
    )


def read_event(row: Row) -> StageEvent:
    new, old = _place(row.get("value_after")), _place(row.get("value_before"))
    return StageEvent(
        event_id=str(row["id"]),
        deal_id=int(row["entity_id"]),
        pipeline_id=new[0],
        stage_id=new[1],
        at=moment(row["created_at"]),
        old_pipeline_id=old[0],
        old_stage_id=old[1],
        is_creation=row["type"] == "lead_added",
    )


def read_webhook(row: Row) -> Webhook:
    return Webhook(
        id=int(row["id"]),
        destination=str(row["destination"]),
        disabled=bool(row.get("disabled")),
        settings=tuple(str(event) for event in row["settings"]),
    )


def read_task(row: Row) -> KommoTask:
    user = row.get("responsible_user_id")
    return KommoTask(
        id=int(row["id"]),
        text=str(row.get("text") or ""),
        is_completed=bool(row.get("is_completed")),
        responsible_user_id=int(user) if user else None,
    )


def moment(seconds: Any) -> datetime:
    """Kommo's unix seconds as aware UTC."""
    return datetime.fromtimestamp(int(seconds), UTC)


def _place(value: Any) -> tuple[int | None, int | None]:
    """[{"lead_status": {"id": 142, "pipeline_id": 7}}], or a list without it."""
    for item in value or ():
        status = item.get("lead_status") if isinstance(item, dict) else None
        if status:
            return int(status["pipeline_id"]), int(status["id"])
    return None, None


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None
