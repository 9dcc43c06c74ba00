"""Access to the cloud: the only HTTP of the package.  Documents go in and come out; nothing is judged here."""

from sdrs_nb.cloud.client import Cloud, connect
from sdrs_nb.cloud.session import Identity

__all__ = ["Cloud", "Identity", "connect"]
