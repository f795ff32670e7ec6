"""Billhook's pages in a real browser, for every test of them.

``frame_page``: inside Kommo's page of settings, which stands on another site (127.0.0.1) than
Billhook does (localhost), with third-party cookies blocked. ``frame_page.inside`` is the frame's
content, ``frame_page.open("/app/rules", user_id=..., lang="es", dark="1")`` opens it anew there.

``app_page``: Billhook's own pages at ``rig.url``, somebody signed in; a plain Playwright page.
``app_page_without_js``: the same with JavaScript off.

Both stand on ``rig`` (connected, no rule). A browser waits by itself: ``expect(...)``, no sleep.
What a page says in the console fails its test, the status lines of refused requests apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from server.web import sessions
from server.web.auth import Role
from tests.rig import FRESHBOOKS_ID, FRESHBOOKS_SECRET, KOMMO_ID, KOMMO_SECRET, Rig


@dataclass
class FramePage:
    """Kommo's page, and Billhook in its frame."""

    rig: Rig
    page: Page

    @property
    def inside(self) -> FrameLocator:
        return self.page.frame_locator("#inside")

    def open(self, at: str = "", *, user_id: int | None = None, **query: str) -> FrameLocator:
        """Kommo's page for this user (the admin), the frame beginning at a path of ours."""
        whose = {"user": str(user_id)} if user_id else {}
        asked = urlencode({**whose, **({"at": at} if at else {}), **query})
        self.page.goto("about:blank")
        self.page.goto(f"{self.rig.kommo.url}/settings-frame?{asked}")
        return self.inside


def on_another_site(rig: Rig) -> None:
    """Billhook answers at localhost from now on: for a browser another site than 127.0.0.1."""
    url = rig.url.replace("127.0.0.1", "localhost")
    rig._settings["public_url"] = url
    rig.sandbox.kommo.register_integration(
        KOMMO_ID, KOMMO_SECRET, f"{url}/oauth/kommo/callback", f"{url}/oauth/kommo/revoked"
    )
    rig.sandbox.freshbooks.register_app(
        FRESHBOOKS_ID, FRESHBOOKS_SECRET, f"{url}/oauth/freshbooks/callback"
    )
    rig.restart()


@contextmanager
def silent(page: Page) -> Iterator[Page]:
    """Nothing may be said in the console but that a request was refused."""
    said: list[str] = []
    page.on(
        "console",
        lambda message: (
            message.type not in ("error", "warning")
            or message.text.startswith(("Failed to load resource", "Response Status Error Code"))
            or said.append(message.text)
        ),
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []


@pytest.fixture
def frame_page(rig: Rig, page: Page) -> Iterator[FramePage]:
    """The admin looks at the set-up inside Kommo."""
    on_another_site(rig)
    with silent(page):
        framed = FramePage(rig, page)
        expect(framed.open().get_by_role("heading", level=1, name="Set-up")).to_be_visible()
        yield framed


def sign_in(rig: Rig, context: BrowserContext, *, language: str = "") -> None:
    """As after signing in with FreshBooks: the cookie alone."""
    session = sessions.begin(
        rig.world, rig.account_id, Role.ADMIN, where="app", who="1", name="Ona Owner",
        language=language,
    )  # fmt: skip
    token = sessions.seal(rig.world, session)
    context.add_cookies([{"name": "billhook-session", "value": token, "url": rig.url}])


@pytest.fixture
def app_page(rig: Rig, page: Page) -> Iterator[Page]:
    """Signed in, at the set-up."""
    sign_in(rig, page.context)
    with silent(page):
        page.goto(f"{rig.url}/app/")
        yield page


@pytest.fixture
def app_page_without_js(rig: Rig, browser: Browser) -> Iterator[Page]:
    """Signed in, at the set-up, in a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False)
    sign_in(rig, context)
    page = context.new_page()
    with silent(page):
        page.goto(f"{rig.url}/app/")
        yield page
    context.close()
