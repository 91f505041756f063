"""The operator console in a real browser: what it shows, what it does, and whom it refuses."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from pgproxy.control.opening import open_metastore
from pgproxy.control.rollouts import RolloutStatus
from tests.clients.browser import Browser, needs_browser, open_browser
from tests.clients.console_client import Http, csrf_of
from tests.gateway import ADMIN, ADMIN_PASSWORD, NODE_TOKEN, POLICY, RunningGateway, start_gateway

SCREENSHOTS = Path(__file__).parents[2] / "var" / "console"
HOSTILE = "<img src=x onerror=alert(1)>"
USERS = f"""
  "{HOSTILE}": {{password: hostile-secret}}
  watcher: {{password: watcher-secret, auditor: true}}
  guessed: {{password: guessed-secret, auditor: true}}
"""
ENDLESS = (
    "SELECT count(*) FROM numbers a, numbers b, numbers c WHERE a.n < b.n + c.n AND a.label <> 'pw-7781'"
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with a rollout to an endpoint that nobody runs."""
    folder = tmp_path_factory.mktemp("console")
    policy = POLICY.replace("users:\n", f"users:{USERS}")
    with start_gateway(folder, policy=policy, LOGIN_LOCK_AFTER="3", FEATURE_REMOTE_ROUTING="true") as found:
        found.cli("endpoint", "add", "far", "grpc://127.0.0.1:1", "--token", NODE_TOKEN)
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("chromium"), SCREENSHOTS) as found:
        yield found


async def begin_rollout(gateway: RunningGateway) -> None:
    async with open_metastore(gateway.environment["METASTORE_URL"]) as metastore:
        known = (await metastore.state()).rollouts.get("q4")
    if known is not None and known.status is RolloutStatus.RUNNING:
        return
    gateway.cli("rollout", "start", "q4", "--to", "far", "--stages", "1%,100%", "--hold", "1h")


async def rollout_status(gateway: RunningGateway) -> RolloutStatus:
    async with open_metastore(gateway.environment["METASTORE_URL"]) as metastore:
        return (await metastore.state()).rollouts["q4"].status


def address(gateway: RunningGateway, path: str = "") -> str:
    return f"http://127.0.0.1:{gateway.http_port}/console{path}"


@needs_browser
async def test_an_operator_watches_and_acts(gateway: RunningGateway, browser: Browser) -> None:
    await begin_rollout(gateway)
    running = asyncio.create_task(_run_endless(gateway))
    await asyncio.to_thread(_log_in, gateway, browser)
    await asyncio.to_thread(_looks_well, browser)
    await asyncio.to_thread(_cancels, browser)
    assert await running == "57014"
    await asyncio.to_thread(_moves_the_rollout, gateway, browser)
    assert await rollout_status(gateway) is RolloutStatus.ABORTED
    await asyncio.to_thread(_reads_policy_and_audit, gateway, browser)
    await asyncio.to_thread(_fits_a_phone_at_night, gateway, browser)
    await asyncio.to_thread(_goes_by_keyboard, gateway, browser)
    complaints = [
        line["message"] for line in browser.driver.get_log("browser") if "favicon" not in line["message"]
    ]
    assert [line for line in complaints if "403" not in line] == []


async def _run_endless(gateway: RunningGateway) -> str | None:
    async with await psycopg.AsyncConnection.connect(gateway.dsn()) as connection:
        try:
            await connection.execute(ENDLESS)
        except psycopg.Error as error:
            return error.sqlstate
    return None


def _log_in(gateway: RunningGateway, browser: Browser) -> None:
    browser.size(1280, 900)
    browser.driver.get(address(gateway))
    browser.driver.delete_all_cookies()  # another test may have left its session
    browser.driver.get(address(gateway))
    assert browser.driver.current_url.endswith("/console/login")
    browser.keep("login")
    browser.fill("[name=name]", ADMIN)
    browser.fill("[name=password]", "wrong")
    browser.click("button.primary")
    assert browser.text("[role=alert]") == "authentication failed"
    _fill_login(browser)
    cookie = browser.driver.get_cookie("pgproxy_console")
    assert cookie is not None
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")
    assert "pgproxy_console" not in browser.driver.execute_script("return document.cookie")


def _fill_login(browser: Browser) -> None:
    browser.fill("[name=name]", ADMIN)
    browser.fill("[name=password]", ADMIN_PASSWORD)
    browser.click("button.primary")
    browser.until_shows("h2", "")


def _looks_well(browser: Browser) -> None:
    """Live numbers and charts; light, dark and narrow."""
    browser.until_shows("#running", "SELECT count(*) FROM numbers")
    browser.until_shows("#endpoints", "far")
    browser.until("document.querySelectorAll('[data-chart] svg[role=img]').length === 4")
    assert "pw-7781" not in browser.driver.page_source
    assert "/console/static/console.js" in browser.driver.page_source
    browser.keep("overview-light")
    light = _ground(browser)
    browser.size(1280, 900, scheme="dark")
    browser.keep("overview-dark")
    assert _ground(browser) != light
    browser.size(390, 844)
    browser.until("document.querySelector('[data-chart] svg').viewBox.baseVal.width < 390")
    browser.keep("overview-phone")
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.size(1280, 900)


def _ground(browser: Browser) -> str:
    return str(browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))


def _cancels(browser: Browser) -> None:
    browser.click("#running button")
    browser.until_shows("[role=status]", "was asked to stop")


def _moves_the_rollout(gateway: RunningGateway, browser: Browser) -> None:
    """Every button, with what it does to the page and to `rollout status`."""
    for move, status, percent in (
        ("pause", "PAUSED", "1"),
        ("resume", "RUNNING", "1"),
        ("widen", "RUNNING", "100"),
        ("abort", "ABORTED", "0"),
    ):
        browser.click(f"button[value={move}]")
        if move in ("widen", "abort"):
            browser.driver.switch_to.alert.accept()
        browser.until_shows("#r-status", status)
        browser.until(f"document.querySelector('#r-percent').textContent.trim() === '{percent}'")
        browser.until_shows("#r-reason", f"{move} by {ADMIN}")
        told = gateway.cli("rollout", "status", "q4")
        assert status in told
        assert f"{move} by {ADMIN}" in told


def _reads_policy_and_audit(gateway: RunningGateway, browser: Browser) -> None:
    browser.driver.get(address(gateway, "/policy?principal=analyst"))
    shown = browser.text("main")
    assert "region = 'EU'" in shown
    assert "left(email, 1) || '***'" in shown
    browser.keep("policy")
    browser.driver.get(address(gateway, "/policy?" + urlencode({"principal": HOSTILE})))
    assert browser.text("main h2") == HOSTILE
    assert browser.driver.execute_script("return document.querySelectorAll('main img').length") == 0
    browser.driver.get(address(gateway, "/audit?outcome=canceled&principal=analyst"))
    browser.until_shows("main", "57014")
    browser.keep("audit")
    for move in ("PAUSE", "RESUME", "WIDEN", "ABORT"):
        browser.driver.get(address(gateway, f"/audit?kind=ROLLOUT+{move}"))
        assert ADMIN in browser.text("tbody"), move


def _fits_a_phone_at_night(gateway: RunningGateway, browser: Browser) -> None:
    """Nothing of any page is beyond the narrowest screen."""
    browser.size(360, 780, scheme="dark")
    for name, path in (
        ("overview", ""),
        ("policy", "/policy?principal=analyst"),
        ("audit", "/audit"),
        ("login", "/login?ended=form"),
    ):
        browser.driver.get(address(gateway, path))
        browser.until("document.readyState === 'complete'")
        browser.keep(f"{name}-night")
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 360, name
    browser.size(1280, 900)


@needs_browser
async def test_a_form_of_a_session_that_has_ended_does_nothing_and_says_so(
    gateway: RunningGateway, browser: Browser
) -> None:
    await begin_rollout(gateway)
    running = asyncio.create_task(_run_endless(gateway))
    for button, is_asked in (
        ("button[value=pause]", False),
        ("button[value=abort]", True),
        ("#running button", False),
    ):
        await asyncio.to_thread(_come_too_late, gateway, browser, button, is_asked)
    assert await rollout_status(gateway) is RolloutStatus.RUNNING
    assert not running.done()
    await asyncio.to_thread(_cancels, browser)
    assert await running == "57014"


def _come_too_late(gateway: RunningGateway, browser: Browser, button: str, is_asked: bool) -> None:
    """Press a button after the session ended elsewhere, and log in again."""
    browser.driver.get(address(gateway, "/login"))
    browser.driver.delete_all_cookies()
    browser.driver.get(address(gateway))
    _fill_login(browser)
    browser.until_shows("#running", "SELECT count(*) FROM numbers")
    browser.driver.execute_script("window.fetch = () => new Promise(() => {})")
    other = Http(gateway)
    other.cookies = {one["name"]: one["value"] for one in browser.driver.get_cookies()}
    other.send("/console/logout", {"csrf": csrf_of(other.send("/console")[1])})
    browser.click(button)
    if is_asked:
        browser.driver.switch_to.alert.accept()
    browser.until_shows("[role=alert]", "Your session had ended: nothing was done.")
    assert browser.driver.get_cookie("pgproxy_console") is None
    _fill_login(browser)


def _goes_by_keyboard(gateway: RunningGateway, browser: Browser) -> None:
    browser.driver.get(address(gateway, "/audit"))
    for expected in ("Skip to the content", "pgproxy", "Overview"):
        browser.press("\ue004")
        assert browser.focused == expected
    browser.press("\ue007")
    browser.until_shows("#h-rollout", "Rollout")


async def test_whoever_is_no_operator_sees_nothing(gateway: RunningGateway) -> None:
    http = Http(gateway)
    for path in ("", "/policy?principal=analyst", "/audit"):
        response, text = http.send(f"/console{path}")
        assert (response.status, response.headers["Location"], text) == (303, "/console/login", "")
    assert http.send("/console/live.json")[0].status == 401
    response, text = http.log_in("analyst", "analyst-secret")
    assert response.status == 403
    assert "this role has no console" in text
    assert http.send("/console")[0].status == 303


async def test_an_auditor_looks_and_does_nothing(gateway: RunningGateway) -> None:
    http = Http(gateway)
    await begin_rollout(gateway)
    assert http.log_in("watcher", "watcher-secret")[0].status == 303
    response, page = http.send("/console")
    assert response.status == 200
    assert "data-move" not in page
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert json.loads(http.send("/console/live.json")[1])["is_admin"] is False
    form = {"csrf": csrf_of(page), "name": "q4", "move": "abort"}
    response, text = http.send("/console/rollout", form)
    assert (response.status, "Only administrators do that." in text) == (403, True)
    assert await rollout_status(gateway) is RolloutStatus.RUNNING
    cookies = dict(http.cookies)
    http.send("/console/logout", {"csrf": csrf_of(page)})
    assert http.send("/console")[0].status == 303
    http.cookies = cookies
    response, _ = http.send("/console/rollout", form)
    assert (response.status, response.headers["Location"]) == (303, "/console/login?ended=form")
    http.cookies = cookies
    assert http.send("/console/audit")[0].headers["Location"] == "/console/login?ended=page"
    assert "Your session has ended." in http.send("/console/login?ended=page")[1]
    assert await rollout_status(gateway) is RolloutStatus.RUNNING


async def test_a_form_of_another_site_does_nothing(gateway: RunningGateway) -> None:
    await begin_rollout(gateway)
    http = Http(gateway)
    http.log_in(ADMIN, ADMIN_PASSWORD)
    _, page = http.send("/console")
    form = {"name": "q4", "move": "abort"}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert http.send("/console/rollout", form)[0].status == 403
    assert http.send("/console/rollout", {**form, "csrf": "made up"})[0].status == 403
    assert http.send("/console/rollout", {**form, "csrf": csrf_of(page)}, **foreign)[0].status == 403
    assert http.send("/console/login", {"name": ADMIN, "password": ADMIN_PASSWORD})[0].status == 403
    assert await rollout_status(gateway) is RolloutStatus.RUNNING
    assert http.send("/console/rollout", {**form, "csrf": csrf_of(page)})[0].status == 303
    assert await rollout_status(gateway) is RolloutStatus.ABORTED


async def test_guesses_lock_the_login_and_a_locked_role_loses_its_session(gateway: RunningGateway) -> None:
    inside = Http(gateway)
    assert inside.log_in("guessed", "guessed-secret")[0].status == 303
    http = Http(gateway)
    for _ in range(3):
        assert http.log_in("guessed", "guess")[0].status == 403
    assert http.log_in("guessed", "guessed-secret")[0].status == 403
    gateway.cli("user", "lock", "guessed")
    assert inside.send("/console")[0].status == 303
