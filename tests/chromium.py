"""A headless Chromium that sees only what it is given: every name resolves to nowhere, and what it
asks for is kept."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--disable-extensions", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip


def missing() -> str:
    """What has to be installed, or nothing."""
    if not any(map(shutil.which, BINARIES)) or not shutil.which("chromedriver"):
        return "no chromium and chromedriver: apt-get install chromium chromium-driver"
    return ""


class Browser:
    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a page afresh, as a screen of that size shows it."""
        self._do(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._do("Emulation.setEmulatedMedia", features=scheme)
        self.driver.get("about:blank")  # a change of the part behind # alone would load nothing
        self.driver.get(url)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(f"return {script}", *arguments)

    def one(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)  # type: ignore[no-any-return]

    def texts(self, selector: str) -> list[str]:
        """The texts of what is on the page, in one call."""
        return self.run(  # type: ignore[no-any-return]
            "[...document.querySelectorAll(arguments[0])].map(one => one.textContent)", selector
        )

    def choose(self, field: str, value: str) -> None:
        """Choose the option of that value, in the field of that id, as a click does."""
        options = self.all(f"#{field} option")
        next(one for one in options if one.get_attribute("value") == value).click()

    def asked(self) -> list[str]:
        """Every address asked for since the last call, whatever came of it."""
        messages = [json.loads(entry["message"])["message"]
                    for entry in self.driver.get_log("performance")]  # fmt: skip
        return [one["params"]["request"]["url"] for one in messages
                if one["method"] == "Network.requestWillBeSent"]  # fmt: skip

    def console(self) -> list[str]:
        """What pages said in the console since the last call, violations of their policy too."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def shoot(self, path: Path) -> None:
        """A picture of the whole page."""
        taken = self._do("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _do(self, command: str, **parameters: object) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)


@contextmanager
def started(profile: Path) -> Iterator[Browser]:
    """``profile``: an empty folder for the browser's own files."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = next(path for path in map(shutil.which, BINARIES) if path)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, ChromeService(shutil.which("chromedriver")))
    try:
        driver.get("about:blank")  # leaves the browser's own first page
        yield Browser(driver)
    finally:
        driver.quit()


def wait(until: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
