"""Our grid in JupyterLab: first rows, or a filter, to the screen."""

from grid_page import measure

measure(
    show="from sdrs_nb.widgets import Grid\ngrid = Grid(frame)\ngrid",
    narrow='grid.filter("name", contains="needle")',
    shown="() => document.querySelector('.sdrs-line:not(.sdrs-coming) .sdrs-first')?.textContent.startsWith('erp')",
    narrowed="() => document.querySelector('.sdrs-line:not(.sdrs-coming) .sdrs-first')?.textContent === 'needle'",
)
