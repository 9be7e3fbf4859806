"""`make screenshots`: takes the screenshots of the pages for the README."""

import shutil
import sys

from demo.local import KEY, PROJECT, Local
from tools.browser.chromium import chromium
from tools.browser.docs_page import DocsPage

FOLDER = PROJECT / "docs/images"


def _needed(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is missing: `make tools` installs it, or says how")
    return found


def main() -> None:
    """Drive the pages as the tests do and save screenshots."""
    programs = map(_needed, ("chromedriver", "chromium"))
    with Local() as local, chromium(*programs) as chrome:
        page = DocsPage(chrome, local.url)
        chrome.save_screenshot(FOLDER / "docs.png")

        page.authorize(KEY)
        page.try_out("submitIndividualVerification", "cust-0001")
        page.show_answer("submitIndividualVerification")
        chrome.save_screenshot(FOLDER / "docs-try-it-out.png")

        chrome.set_window_size(1200, 1200)
        chrome.get(f"{local.url}/v1/errors/OUTCOME_UNKNOWN")
        chrome.save_screenshot(FOLDER / "error-page.png")
    for picture in sorted(FOLDER.glob("*.png")):
        sys.stdout.write(f"{picture.relative_to(PROJECT)} {picture.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    main()
