"""To come."""

from .routing import Route

ROUTES: tuple[Route, ...] = ()
