"""A headless Chromium that tells what it asked for and what it complained about."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.common.by import By

from servers import wait_until

AXE = Path(__file__).parents[1] / "axe" / "fetch"


class Browser:
    """One window on one page."""

    def __init__(self, folder, width=1280, height=900):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for option in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-background-networking",
                       "--no-first-run", f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"):
            options.add_argument(option)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium's sandbox refuses to run as root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        self.driver.set_script_timeout(30)
        self.asked = []

    def open(self, url):
        self.driver.get(url)
        return self

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def rows(self, selector):
        """The texts of a table's body, by row, whether it is unfolded or not."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))",
            selector)

    def wait(self, condition, what, timeout_s=20):
        return wait_until(condition, timeout_s, what)

    def emulate(self, scheme="light", width=1280, height=900):
        """A screen of this size, whose owner prefers light or dark, and no motion."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                             {"name": "prefers-reduced-motion", "value": "reduce"}])

    def forget(self):
        """Leaves the page, and what it asked for and complained about."""
        self.driver.get("about:blank")
        self.complaints()
        self.origins()
        self.asked = []

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def screenshot(self, file, height=None):
        """Of the page from its top on, whole unless a height is given."""
        size = self.command("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], height or size["height"]), "scale": 1}
        picture = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        Path(file).write_bytes(base64.b64decode(picture["data"]))

    def complaints(self):
        """What the console says: errors of scripts, refused by the content security policy, answers that failed."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def origins(self):
        """Of every request since the last forget()."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, self.asked) if url.scheme not in ("data", "chrome", "about")}

    def axe(self):
        """What keeps people out, as axe-core sees it: rule and elements."""
        script = subprocess.run([AXE], check=True, capture_output=True, text=True).stdout.strip()
        self.driver.execute_script(Path(script).read_text())
        result = self.driver.execute_async_script("const done = arguments[arguments.length - 1]; axe.run().then(done)")
        return [f"{found['id']}: {node['target']} {node['failureSummary']}" for found in result["violations"] for node in found["nodes"]]

    def destroy(self):
        self.driver.quit()
