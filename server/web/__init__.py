"""The HTTP edge: a blueprint per audience, each route names its auth. Views read and answer; the
stories are in ``flows``."""

from flask import Flask

from server.web import embed, errors, headers, languages, pages, set_up, visitor
from server.web.auth import Auth, needs
from server.web.health import health
from server.web.hooks import hooks
from server.web.oauth import oauth

BLUEPRINTS = (health, hooks, oauth, embed.pages, set_up.pages)


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
