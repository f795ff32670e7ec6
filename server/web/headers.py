"""What every answer says to the browser about itself."""

from flask import Flask, Response, request

from server.web.here import world

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
YEAR = 31_536_000


def install(app: Flask) -> None:
    app.after_request(_add)


def policy(ancestors: str = "'none'") -> str:
    """The content security policy of a page that ``ancestors`` may show in a frame."""
    return POLICY.format(ancestors=ancestors)


_NOBODY_FRAMES = policy()


def _add(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _NOBODY_FRAMES)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")  # codes and states stand in our URLs
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if world().public_url.startswith("https:"):  # a proxy may stand in between
        headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
    return response
