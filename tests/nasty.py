"""Texts that attack whatever shows them, for properties of every medium."""

from hypothesis import strategies as st

__all__ = ["HIDDEN", "NASTY", "TEXTS"]

#: One of each kind that must never leave as it is.
HIDDEN = (
    "\x1b", "\x07", "\r", "\n", "\t", "\x00", "\x7f", "\x85", "\x9b", "\x9d", "\u202a", "\u202e", "\u2066", "\u2069",
    "\u200b", "\u200d", "\ufeff", "\u2028", "\u00ad", "\u3164", "\ufe0f", "\U000e0041", "\ue000", "\u0378", "\ud800",
    "\udfff",
)  # fmt: skip
#: Whole names as an attacker would write them.
NASTY = (
    "\x1b]0;PWNED\x07\x1b[2Jspoof\nrun s2: created",
    "\x9b31mred",
    "a\u202egnp.exe",
    "web\r\nServer s2 is protected.",
    "=HYPERLINK(1)",
    "[red]x[/red] {x} {{x}} <b>",
    "half \ud800 pair",
)

TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.one_of(st.sampled_from(HIDDEN), st.characters(), st.sampled_from("=+-@'<&{[")), max_size=12).map(
        "".join
    ),
)
