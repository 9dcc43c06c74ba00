"""ipydatagrid with the same frame in JupyterLab: first rows, or a filter, to the screen.

It draws on a canvas, so its pixels are looked at: rows are there when the middle of it is no longer of one colour, a
filter is there when the picture has changed.
"""

from grid_page import measure

PIXELS = """(() => {
    const canvas = [...document.querySelectorAll('.ipydatagrid-widget canvas, .lm-DataGrid-canvas')]
        .find(one => one.width > 200 && one.height > 100);
    if (!canvas) return null;
    return canvas.getContext('2d').getImageData(0, 60, Math.min(canvas.width, 600), Math.min(canvas.height - 60, 200)).data;
})()"""
SUM = f"(() => {{ const data = {PIXELS}; let sum = 0; if (data) for (const one of data) sum += one; return sum; }})()"

measure(
    show="from ipydatagrid import DataGrid\ngrid = DataGrid(frame, selection_mode='row')\ngrid",
    narrow='grid.transform([{"type": "filter", "columnIndex": 1, "operator": "stringContains", "value": "needle"}])',
    shown=f"() => {{ const data = {PIXELS}; if (!data) return false; const seen = new Set();"
    " for (let at = 0; at < data.length; at += 4) { seen.add(data[at]); if (seen.size > 12) return true; } return false; }",
    narrowed=f"before => {SUM} !== before",
    remember=f"() => {SUM}",
)
