"""A field and the button below it, on a kernel that is slow to take what is typed."""

from playwright.sync_api import expect

SHOW = """
import ipywidgets, time
from sdrs_nb.widgets.panel import button, row, text_field
field, told = text_field(description="Count"), ipywidgets.Label("-")
field.observe(lambda _change: time.sleep(0.4), names="value")
row(field, button("Take", lambda: setattr(told, "value", f"took {field.value}")), told)
"""


def test_a_click_takes_all_that_was_typed_before_it(notebook):
    """Typed fast and clicked at once: the button acts on the whole text, by mouse and by keyboard."""
    opened = notebook([SHOW])
    opened.run(0)
    field, take = opened.page.get_by_label("Count"), opened.page.get_by_role("button", name="Take", exact=True)

    field.press_sequentially("12345")
    take.click()
    expect(opened.page.locator(".widget-label", has_text="took")).to_have_text("took 12345")

    field.press("End")
    field.press_sequentially("678")
    field.press("Tab")
    opened.page.keyboard.press("Enter")
    expect(opened.page.locator(".widget-label", has_text="took")).to_have_text("took 12345678")
