"""The HTTP edge: a blueprint per audience, each route names its auth. Views read and answer; the
stories are in ``flows``."""

from flask import Flask

from server.web import (
    activity,
    embed,
    errors,
    headers,
    languages,
    mapping,
    pages,
    preview,
    rule_page,
    set_up,
    settings_files,
    sign_in,
    visitor,
    what_if,
)
from server.web.auth import Auth, needs
from server.web.health import health
from server.web.hooks import hooks
from server.web.oauth import oauth

BLUEPRINTS = (
    health,
    hooks,
    oauth,
    embed.pages,
    sign_in.pages,
    mapping.pages,
    activity.pages,
    preview.pages,
    rule_page.pages,
    set_up.pages,
    settings_files.pages,
    what_if.pages,
)


def install(app: Flask) -> None:
    """Every route, error and header on ``app``."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    needs(Auth.NOBODY)(app.view_functions["static"])
    errors.install(app)
    headers.install(app)
    languages.install(app)
    pages.install(app)
    visitor.install(app)
