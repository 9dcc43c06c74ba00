"""``python -m sdrs_nb.cli`` is ``sdrs-nb``."""

from sdrs_nb.cli import main

if __name__ == "__main__":
    main()
