"""The headings of a file that somebody sent: mapped by clicks, and pictured in both themes, wide and narrow."""

from playwright.sync_api import expect

from tests.browser.test_screens import AXE, pictures

SHOW = """
import sdrs_nb
from sdrs_nb.widgets.inventory_panel import InventoryPanel
panel = InventoryPanel()
panel
"""
HOSTILE = "<img src=x onerror=alert(1)>"
SENT = f"Ref,Host,Zone,State,{HOSTILE}\n" + "".join(
    f"s-{at},web-{at},cn-north-4a,Running,{HOSTILE}{at}\n" for at in range(5)
)


def test_headings_are_mapped_by_clicks(notebook, tmp_path):
    """A list whose ids nobody can tell: the column is chosen beside its examples, and the list is an inventory."""
    (tmp_path / "sent.csv").write_text(SENT, encoding="utf-8")
    opened = notebook([SHOW, "None"])
    page = opened.page
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    opened.run(0)

    page.get_by_text("Open a file instead").click()
    page.get_by_label("or its path, or a folder's").fill(str(tmp_path / "sent.csv"))
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("Which column is the server's id?").first).to_be_visible()
    again = page.get_by_role("button", name="Read again")
    expect(again).to_be_disabled()
    page.get_by_label("Ref", exact=True).select_option("Server id")
    again.click()

    expect(page.get_by_text("All 5 servers will be judged.")).to_be_visible()
    expect(page.get_by_text(f"{HOSTILE}0, {HOSTILE}1, {HOSTILE}2", exact=True)).to_be_visible()
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    assert pictures(opened, "headings", "en") == []
    assert "web-3" in opened.ask_of("print(panel.state.inventory.servers[['server_id', 'name']])")
