"""What a view needs of the application it runs in, without importing who wired it."""

from typing import Any, cast

from flask import current_app

from server.flows.world import World


def world() -> World:
    return cast("World", _wired().world)


def _wired() -> Any:
    return current_app.extensions["billhook"]
