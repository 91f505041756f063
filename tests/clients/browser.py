"""Headless Chromium for tests: Debian's own, driven by Selenium, talking to this machine only."""

import shutil
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_Found = TypeVar("_Found")

WAIT_S = 30
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
WHY_NOT = "Chromium or its driver (Debian's packages chromium and chromium-driver) is not installed"
needs_browser = pytest.mark.skipif(
    shutil.which("chromium") is None or shutil.which("chromedriver") is None, reason=WHY_NOT
)


class Browser:
    """One page at a time, by what a person does."""

    def __init__(self, driver: webdriver.Chrome, screenshots: Path) -> None:
        self.driver = driver
        self._screenshots = screenshots

    def text(self, selector: str) -> str:
        """What an element shows."""
        return self._with_element(selector, lambda element: element.text)

    def fill(self, selector: str, value: str) -> None:
        """Type into a field."""
        field = self.driver.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(value)

    def click(self, selector: str) -> None:
        """Press."""
        self._with_element(selector, lambda element: element.click())

    def _with_element(self, selector: str, act: Callable[[WebElement], _Found]) -> _Found:
        """Do it with the element, found again where the page has just drawn itself anew."""
        found: list[_Found] = []

        def done(driver: webdriver.Chrome) -> bool:
            found.append(act(driver.find_element(By.CSS_SELECTOR, selector)))
            return True

        WebDriverWait(self.driver, WAIT_S, ignored_exceptions=[StaleElementReferenceException]).until(done)
        return found[-1]

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        ActionChains(self.driver).send_keys(key).perform()

    @property
    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.driver.execute_script("return document.activeElement.textContent.trim()"))

    def until(self, script: str) -> None:
        """Wait until an expression of the page's own is true."""
        WebDriverWait(self.driver, WAIT_S).until(lambda driver: driver.execute_script(f"return {script}"))

    def until_shows(self, selector: str, text: str) -> None:
        """Wait until an element shows a text; the page may be another one by then."""
        wanted = f"document.querySelector({selector!r})?.textContent.includes({text!r})"
        self.until(wanted)

    def size(self, width: int, height: int, *, scheme: str = "light") -> None:
        """Be a screen of that size, light or dark."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def keep(self, name: str) -> Path:
        """Keep a picture of the whole page."""
        file = self._screenshots / f"{name}.png"
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
        )
        file.write_bytes(b64decode(shot["data"]))
        return file


@contextmanager
def open_browser(profile: Path, screenshots: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile."""
    screenshots.mkdir(parents=True, exist_ok=True)
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        yield Browser(driver, screenshots)
    finally:
        driver.quit()
