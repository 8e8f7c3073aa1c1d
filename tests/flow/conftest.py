"""What the tests in a browser need: Debian's Chromium and a demo, each started once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support_demo import Demo, local, running_demo, set_time

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=30_000)  # a slow machine is no fault of the page
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """On the Tuesday evening, during a gardien's shift."""
    folder = tmp_path_factory.mktemp("browser") / "demo"
    set_time(folder, local(18, 40))
    with running_demo(folder) as demo:
        yield demo
