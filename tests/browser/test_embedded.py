"""Billhook inside Kommo's page of settings: another site, no cookie, a session handed over."""

from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask, Response, redirect, request
from flask.templating import render_template_string
from playwright.sync_api import Page, expect

from server.sandbox import Fault
from server.sandbox.serve import Served, serve
from server.web import sessions
from server.web.auth import Act, Auth, needs
from server.web.auth import Page as Where
from tests.browser.conftest import FramePage, on_another_site, silent
from tests.rig import KOMMO_ID, Rig

pytestmark = pytest.mark.browser

FORM = """{% extends frame %}{% from "frame/parts.html" import csrf %}
{% block title %}Try{% endblock %}
{% block main %}<h1>Try</h1>
<form method="post" action="/app/try">{{ csrf() }}
<label for="note">Note</label><input id="note" name="note" value="{{ note }}">
<button name="how" value="gently">Save</button></form>
<p id="kept">{{ kept|join(", ") }}</p>{% endblock %}"""


def with_a_form(rig: Rig) -> list[str]:
    """A page of these tests' own: one field, one button that says which it is."""
    pages, kept = Blueprint("trying", __name__, url_prefix="/app"), []

    @pages.get("/try")
    @needs(Auth.SESSION, Where.SET_UP)
    def form() -> str:
        inside = request.headers.get("HX-Request") == "true"
        frame = "frame/inside.html" if inside else "frame/whole.html"
        return render_template_string(FORM, frame=frame, menu=[], said="", note="", kept=kept)

    @pages.post("/try")
    @needs(Auth.SESSION, Where.SET_UP, Act.CHANGE)
    def save() -> Response:
        kept.append(f"{request.form['note']} {request.form['how']}")
        return redirect("/app/try", 303)  # type: ignore[return-value]

    rig.restart()
    rig.app.register_blueprint(pages)
    return kept


@pytest.fixture
def elsewhere() -> Iterator[Served]:
    """A stranger's page that frames Billhook and plays Kommo."""
    app = Flask("elsewhere")

    @app.get("/")
    def page() -> str:
        return f"""<!doctype html><title>Evil</title><pre id="heard"></pre>
        <iframe id="inside" src="{request.args["src"]}"></iframe><script>
        window.addEventListener("message", (event) => {{
          document.getElementById("heard").textContent += JSON.stringify(event.data);
        }});
        setInterval(() => document.getElementById("inside").contentWindow.postMessage(
          {{ type: "billhook:session", token: "made-up", expires_in: 900 }}, "*"), 100);
        </script>"""

    served = serve(app)
    yield served
    served.stop()


def ended(framed: FramePage) -> None:
    """The session in the frame's memory has run out, as after a night's sleep of the machine."""
    framed.rig.clock.advance(sessions.LIFE)


def test_the_checklist_is_shown_in_the_frame_without_any_cookie(frame_page: FramePage) -> None:
    inside = frame_page.inside
    expect(inside.get_by_role("heading", name="Connect FreshBooks")).to_be_visible()
    expect(inside.get_by_role("button", name="Sign out")).to_have_count(0)
    assert frame_page.page.context.cookies() == []


def test_one_gets_about_inside_the_frame_and_back(frame_page: FramePage) -> None:
    inside, page = frame_page.inside, frame_page.page
    kommo = page.url
    inside.get_by_role("button", name="Connect again").first.click()
    expect(inside.get_by_role("heading", level=1, name="Connect Kommo")).to_be_visible()
    expect(inside.get_by_role("link", name="Continue at Kommo")).to_have_attribute(
        "target", "_blank"
    )
    page.evaluate("history.back()")
    expect(inside.get_by_role("heading", level=1, name="Set-up")).to_be_visible()
    page.evaluate("history.forward()")
    expect(inside.get_by_role("heading", level=1, name="Connect Kommo")).to_be_visible()
    assert page.url == kommo


def test_the_frame_begins_where_it_is_told_to(frame_page: FramePage) -> None:
    with_a_form(frame_page.rig)
    inside = frame_page.open("/app/try")
    expect(inside.get_by_role("heading", name="Try")).to_be_visible()
    for strange in ("//evil.example/app/", "https://evil.example/app/", "javascript:alert(1)"):
        inside = frame_page.open(strange)
        expect(inside.get_by_role("heading", level=1, name="Set-up")).to_be_visible()
    inside = frame_page.open("/app/rules/gone")  # its rule was removed meanwhile
    expect(inside.get_by_role("status")).to_contain_text("There is nothing here.")
    inside.get_by_role("link", name="Go to Billhook").click()
    expect(inside.get_by_role("heading", level=1, name="Set-up")).to_be_visible()


def test_it_speaks_the_language_of_kommos_page(frame_page: FramePage) -> None:
    inside = frame_page.open(lang="es")
    expect(inside.locator("html")).to_have_attribute("lang", "es")
    expect(inside.get_by_role("main")).to_contain_text("2/3/26")  # the day first


def test_it_is_dark_where_kommo_is_whatever_the_machine_prefers(frame_page: FramePage) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    for machine in ("light", "dark"):
        frame_page.page.emulate_media(color_scheme=machine)  # type: ignore[arg-type]
        light = frame_page.open().locator("body").evaluate(f"() => {ground}")
        dark = frame_page.open(dark="1").locator("body").evaluate(f"() => {ground}")
        assert (light, dark) == ("rgb(245, 246, 248)", "rgb(20, 24, 28)")


def test_a_session_that_ended_is_renewed_and_what_was_typed_is_saved(
    frame_page: FramePage,
) -> None:
    kept = with_a_form(frame_page.rig)
    inside = frame_page.open("/app/try")
    inside.get_by_label("Note").fill("Half now, half on delivery")
    ended(frame_page)
    inside.get_by_role("button", name="Save").click()
    expect(inside.locator("#kept")).to_have_text("Half now, half on delivery gently")
    assert kept == ["Half now, half on delivery gently"]  # once
    expect(inside.locator("#notice")).to_be_empty()


def test_a_link_is_followed_after_the_session_ended(frame_page: FramePage) -> None:
    ended(frame_page)
    frame_page.inside.get_by_role("button", name="Connect again").first.click()
    expect(frame_page.inside.get_by_role("heading", name="Connect Kommo")).to_be_visible()


def test_who_is_not_let_in_again_keeps_what_was_typed_and_is_told(frame_page: FramePage) -> None:
    kept = with_a_form(frame_page.rig)
    inside = frame_page.open("/app/try")
    inside.get_by_label("Note").fill("Half now")
    ended(frame_page)
    frame_page.rig.kommo.disable_integration(KOMMO_ID)
    frame_page.rig.pump()
    inside.get_by_role("button", name="Save").click()
    expect(inside.get_by_role("alert")).to_contain_text("Install the widget again")
    expect(inside.get_by_label("Note")).to_have_value("Half now")
    assert kept == []
    frame_page.rig.kommo.install_widget(KOMMO_ID)
    frame_page.rig.pump()
    inside.get_by_role("button", name="Save").click()
    expect(inside.locator("#kept")).to_have_text("Half now gently")


def test_who_cannot_be_let_in_is_told_and_may_try_again(frame_page: FramePage) -> None:
    sandbox = frame_page.rig.sandbox
    sandbox.kommo.switches.is_admin_claim = False
    frame_page.rig.clock.advance(sessions.LIFE)  # what Kommo said of the user is too old as well
    sandbox.faults.add(Fault("error_before", match="GET /api/v4/users/*", times=None))
    inside = frame_page.open()
    expect(inside.get_by_role("status")).to_contain_text("Kommo does not answer")
    sandbox.faults.clear()
    inside.get_by_role("button", name="Try again").click()
    expect(inside.get_by_role("heading", level=1, name="Set-up")).to_be_visible()


def test_a_kommo_that_says_nothing_is_not_waited_for_in_silence(
    frame_page: FramePage,
) -> None:
    page = frame_page.page
    page.clock.install()
    page.route("**/settings-frame/token*", lambda route: None)  # never answered
    inside = frame_page.open()
    expect(inside.get_by_role("status")).to_have_text("Waiting for Kommo…")
    page.clock.fast_forward(10_500)
    expect(inside.get_by_role("status")).to_contain_text("Kommo has not answered")
    expect(inside.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")


def test_the_session_is_renewed_before_it_ends(frame_page: FramePage) -> None:
    page = frame_page.page
    page.clock.install()
    frame_page.open()
    expect(frame_page.inside.get_by_role("heading", level=1, name="Set-up")).to_be_visible()
    with page.expect_response("**/embed/renew") as renewed:
        page.clock.fast_forward((15 - 2) * 60 * 1000 + 500)
    assert renewed.value.status == 200
    frame_page.rig.clock.advance(sessions.LIFE / 2)
    session = sessions.opened(frame_page.rig.world, renewed.value.json()["session"])
    assert session is not None


def test_a_manager_sees_what_managers_may(frame_page: FramePage) -> None:
    mark = frame_page.rig.kommo.add_user("Mark Reed")
    inside = frame_page.open(user_id=mark.id)
    expect(inside.get_by_role("heading", level=1, name="Activity")).to_be_visible()
    expect(inside.get_by_role("link", name="Set-up")).to_have_count(0)
    expect(inside.get_by_text("Settings are for administrators")).to_be_visible()


def test_a_strangers_page_may_not_even_frame_it(rig: Rig, page: Page, elsewhere: Served) -> None:
    on_another_site(rig)
    shell = f"{rig.config().public_url}/embed/settings?host={rig.kommo.host}"
    with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        page.goto(f"{elsewhere.url}/?src={shell}")
    assert page.locator("#heard").text_content() == ""


def test_a_strangers_page_that_names_itself_gets_nothing(
    rig: Rig, page: Page, elsewhere: Served
) -> None:
    on_another_site(rig)
    shell = f"{rig.config().public_url}/embed/settings?host={elsewhere.host}"
    with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        page.goto(f"{elsewhere.url}/?src={shell}")
    assert page.locator("#heard").text_content() == ""


def test_another_kommo_accounts_page_gets_nothing(rig: Rig, page: Page) -> None:
    """Its frame names our account: the browser shows it to that account's own page alone."""
    on_another_site(rig)
    other = rig.sandbox.kommo.add_account("other")
    page.goto(f"{other.url}/settings-frame")
    shell = f"{rig.config().public_url}/embed/settings?host={rig.kommo.host}"
    with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        page.evaluate("src => { document.getElementById('inside').src = src; }", shell)


def test_the_shell_alone_says_where_it_belongs(rig: Rig, page: Page) -> None:
    with silent(page):
        page.goto(f"{rig.url}/embed/settings?host={rig.kommo.host}")
        expect(page.get_by_role("status")).to_contain_text("belongs into Kommo")


def test_a_word_from_another_origin_is_not_heard(frame_page: FramePage) -> None:
    """A page beside ours in the same window cannot hand the frame a session of its own."""
    page = frame_page.page
    page.evaluate(
        """() => new Promise((done) => {
          const other = document.createElement("iframe");
          other.srcdoc = "<p>other</p>";
          document.body.append(other);
          other.onload = () => {
            const script = other.contentDocument.createElement("p");
            other.contentWindow.parent.frames[0].postMessage(
              { type: "billhook:refused", said: "Send money" }, "*");
            done(script.tagName);
          };
        })"""
    )
    frame_page.inside.get_by_role("button", name="Connect again").first.click()
    expect(frame_page.inside.get_by_role("heading", name="Connect Kommo")).to_be_visible()
    expect(frame_page.inside.get_by_text("Send money")).to_have_count(0)


def test_without_scripts_the_shell_says_what_it_needs(rig: Rig, browser: "object") -> None:
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(f"{rig.url}/embed/settings?host={rig.kommo.host}")
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("noscript p")).to_contain_text("this page needs JavaScript")
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
