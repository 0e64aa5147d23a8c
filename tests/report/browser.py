"""Headless Chromium through chromedriver, spoken to in the W3C WebDriver protocol: a few JSON requests."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Chromium's sandbox needs rights that a container does not give; the pages opened here are our own.
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]


def programs() -> tuple[str, str] | None:
    """Paths of Chromium and chromedriver, None where either is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """One headless browser; close it with `quit`."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError("chromium and chromedriver: run `make browser`")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._driver = subprocess.Popen(
            [found[1], f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._root = f"http://127.0.0.1:{port}"
        self._session = ""
        try:
            self._wait_until_ready()
            options = {"binary": found[0], "args": ARGUMENTS}
            logs = {"browser": "ALL", "performance": "ALL"}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs}
            made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{made['sessionId']}"
        except BaseException:
            self.quit()
            raise

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            try:
                if self._send("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("chromedriver did not start within 30 s")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())["value"]

    def command(self, name: str, parameters: Mapping[str, Any]) -> Any:
        """One command of the DevTools protocol."""
        return self._send("POST", f"{self._session}/goog/cdp/execute", {"cmd": name, "params": parameters})

    def show(self, width: int, height: int, scheme: str = "light", media: str = "") -> None:
        """Set the window's size in CSS pixels, the colour scheme, and the medium ("print" or "")."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def open(self, path: Path) -> None:
        """Open a file; what was logged before is forgotten."""
        self.log("browser")
        self.log("performance")
        self._send("POST", f"{self._session}/url", {"url": path.resolve().as_uri()})

    def script(self, text: str, *arguments: Any) -> Any:
        """Run ``text`` as a function's body in the page; what it returns (a promise is awaited)."""
        return self._send("POST", f"{self._session}/execute/sync", {"script": text, "args": list(arguments)})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What was logged since the last call: "browser" is the console, "performance" holds network events."""
        found: list[dict[str, Any]] = self._send("POST", f"{self._session}/se/log", {"type": kind})
        return found

    def requests(self) -> list[str]:
        """Addresses requested since the page was opened, but for data within the page."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith("data:")]

    def picture(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self._send("GET", f"{self._session}/screenshot")))

    def quit(self) -> None:
        """Close browser and driver."""
        try:
            if self._session:
                self._send("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=30)
