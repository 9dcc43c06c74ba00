"""Execute a notebook in place, go on after errors, and save the state of its widgets, as JupyterLab can."""

import sys

import nbformat
from nbclient import NotebookClient


def main() -> None:
    """Execute the notebook that is named."""
    path = sys.argv[1]
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, allow_errors=True, store_widget_state=True, kernel_name="python3", timeout=120).execute()
    nbformat.write(book, path)


if __name__ == "__main__":
    main()
