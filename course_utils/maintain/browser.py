"""The one home of the browser that prints the book and looks at pages in the tests: find it, start it, watch it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

VARIABLE = "COURSE_CHROMIUM"
MISSING = (
    "no Chromium was found on this machine: install Chromium or Google Chrome (Debian and Ubuntu: "
    f"apt-get install chromium), or name the program in the environment variable {VARIABLE}"
)
PROGRAM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC_AND_WINDOWS_PATHS = (  # where macOS and Windows put it; neither has it on the path
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "{PROGRAMFILES}/Google/Chrome/Application/chrome.exe",
    "{PROGRAMFILES(X86)}/Google/Chrome/Application/chrome.exe",
    "{LOCALAPPDATA}/Google/Chrome/Application/chrome.exe",
    "{PROGRAMFILES(X86)}/Microsoft/Edge/Application/msedge.exe",
)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def find_chromium() -> str | None:
    """The program of a Chromium (or Chrome, or Edge) on this machine, or None.

    The environment variable ``COURSE_CHROMIUM`` comes first (a path, or a name on the path), then the usual names
    on the path, then the usual places of macOS and Windows.

    Raises:
        ValueError: the variable does not name a program.
    """
    if named := os.environ.get(VARIABLE):
        if found := shutil.which(named):
            return found
        raise ValueError(f"{VARIABLE} is {named!r}, and no program is there: correct it, or unset it.")
    for name in PROGRAM_NAMES:
        if found := shutil.which(name):
            return found
    for place in MAC_AND_WINDOWS_PATHS:
        with contextlib.suppress(KeyError):  # no such variable on this system
            path = place.format_map(os.environ)
            if Path(path).is_file():
                return path
    return None


def arguments() -> list[str]:
    """What Chromium is started with: as root, and only then, without its sandbox, which refuses root."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    # Containers give /dev/shm 64 MB, in which a long page crashes; the temporary folder has room.
    return ["--disable-dev-shm-usage"] + (["--no-sandbox"] if root else [])


@contextlib.contextmanager
def chromium(**options):
    """A headless Chromium, driven by Playwright; closed at the end of the block.

        with chromium() as browser:
            page = browser.new_page()

    Args:
        options: more for Playwright's ``launch``.

    Yields:
        A ``playwright.sync_api.Browser``.

    Raises:
        FileNotFoundError: there is no Chromium; the message says how to get one.
        ValueError: as for ``find_chromium``.
    """
    program = find_chromium()
    if program is None:
        raise FileNotFoundError(MISSING)
    from playwright.sync_api import sync_playwright

    more = options.pop("args", [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*arguments(), *more], **options)
        try:
            yield browser
        finally:
            browser.close()


def block_network(target) -> list[str]:
    """Refuse every request that leaves this machine, and note it.

    Args:
        target: a Playwright page or browser context, before it opens anything.

    Returns:
        A list that fills with the addresses asked for, in order. Files, data in the page and localhost are let through.
    """
    asked: list[str] = []

    def leaves(address: str) -> bool:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https", "ws", "wss", "ftp") and parts.hostname not in LOCAL_HOSTS

    def refuse(route):
        asked.append(route.request.url)
        route.abort()

    target.route(leaves, refuse)
    return asked
