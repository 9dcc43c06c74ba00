"""A field and the button below it, on a kernel that is slow to take what is typed."""

import pytest
from playwright.sync_api import expect

SHOW = """
import ipywidgets, time
from sdrs_nb.widgets.panel import button, row, text_field
field, told = text_field(description="Count"), ipywidgets.Label("-")
field.observe(lambda _change: time.sleep(0.4), names="value")
row(field, button("Take", lambda: setattr(told, "value", f"took {field.value}")), told)
"""


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_a_click_takes_all_that_was_typed_before_it(notebook, way):
    """Typed fast and clicked at once: the button acts on the whole text."""
    opened = notebook([SHOW])
    opened.run(0)
    field, take = opened.page.get_by_label("Count"), opened.page.get_by_role("button", name="Take", exact=True)

    # Filled step by step, not typed: JupyterLab may take the focus between two keys after a cell was run.
    for text in ("1", "12", "123", "1234", "12345"):
        field.fill(text)
    if way == "mouse":
        take.click()
    else:
        field.press("Tab")
        take.press("Enter")

    expect(opened.page.locator(".widget-label", has_text="took")).to_have_text("took 12345")
