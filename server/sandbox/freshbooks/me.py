"""GET /auth/api/v1/users/me: who the token speaks for, and which businesses are theirs (§1.4)."""

from flask import Blueprint, Response

from server.sandbox.freshbooks import stamps
from server.sandbox.freshbooks.reply import grant, json_reply, world
from server.sandbox.freshbooks.state import Identity, Role, Row

me = Blueprint("me", __name__)


@me.get("/auth/api/v1/users/me")
def users_me() -> Response:
    """No ``result`` in this one."""
    return json_reply({"response": shown(grant().identity)})


def shown(person: Identity) -> Row:
    """Ids of three kinds: identity, business, membership; and the account's string."""
    first, _, last = person.name.partition(" ")
    accounts = [role.books.account_id for role in person.roles]
    now = stamps.iso(world().env.clock.now())
    return {
        "id": person.id,
        "identity_id": person.id,
        "identity_uuid": person.uuid,
        "first_name": first,
        "last_name": last,
        "email": person.email,
        "language": "en",
        "confirmed_at": now,
        "created_at": now,
        "unconfirmed_email": None,
        "setup_complete": True,
        "phone_numbers": [{"title": "", "phone_number": None}],
        "addresses": [None],
        "profession": None,
        "links": {"me": f"/service/auth/api/v1/users?id={person.id}"},
        "permissions": {account: {"client.limit": -1, "staff.limit": -1} for account in accounts},
        "groups": [_group(person, role) for role in person.roles],
        "subscription_statuses": dict.fromkeys(accounts, "active_trial"),
        "business_statuses": dict.fromkeys(accounts, "active_trial"),
        "integrations": {},
        "business_memberships": [_membership(role) for role in person.roles],
        "identity_origin": "magnum",
        "roles": [_role(role, now) for role in person.roles],
    }


def _group(person: Identity, role: Role) -> Row:
    return {
        "id": role.membership_id,
        "group_id": role.books.system_id,
        "role": role.business_role,
        "identity_id": person.id,
        "business_id": role.books.business_id,
        "active": True,
    }


def _membership(role: Role) -> Row:
    """``account_id`` is null for somebody who is only a client there (reference §1.4)."""
    books = role.books
    return {
        "id": role.membership_id,
        "role": role.business_role,
        "unacknowledged_change": False,
        "business": {
            "id": books.business_id,
            "business_uuid": books.business_uuid,
            "name": books.name,
            "account_id": None if role.business_role == "client" else books.account_id,
            "number_format": None,
            "date_format": "yyyy-mm-dd",
            "first_day_of_week": 0,
            "active": True,
            "timezone": books.timezone,
            "status": "active_trial",
            "address": {"street": "", "city": "", "province": "", "country": books.country},
            "phone_number": None,
            "business_clients": [],
        },
    }


def _role(role: Role, now: str) -> Row:
    return {
        "id": role.role_id,
        "role": role.account_role,
        "systemid": role.books.system_id,
        "userid": role.user_id,
        "created_at": now,
        "links": {"destroy": f"/service/auth/api/v1/users/role/{role.role_id}"},
        "accountid": role.books.account_id,
    }
