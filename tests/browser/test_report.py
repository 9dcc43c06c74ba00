"""The report in Chromium with the network off: both languages, light and dark."""

import pytest

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from tests.browser.lab import SCREENS
from tests.builders_reporting import a_recorded_run


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("en", "dark"), ("zh", "light"), ("zh", "dark")])
def test_the_report_opens_with_the_network_off(browser, tmp_path, language, scheme):
    """Nothing is asked for, nothing fails, nothing overflows the page, and the picture is kept."""
    run = a_recorded_run(Ledger(tmp_path / "ledger.db"), servers=23, blocked=4, failing={3, 11})
    sdrs_nb.set_language(language)
    path = sdrs_nb.report(run, tmp_path / "report.html")
    sdrs_nb.set_language(None)
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page, seen = context.new_page(), []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))

    page.goto(path.as_uri())

    assert seen == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("#time rect").count() == 28
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"report-{language}-{scheme}.png")
    context.close()


def test_the_report_fits_a_narrow_screen(browser, tmp_path):
    """On a telephone's width the page scrolls down only; tables scroll in their own boxes."""
    path = sdrs_nb.report(a_recorded_run(Ledger(tmp_path / "ledger.db"), servers=6), tmp_path / "report.html")
    page = browser.new_page(viewport={"width": 400, "height": 800})

    page.goto(path.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()
