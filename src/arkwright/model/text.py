"""What others wrote, fit to be shown. In: text of agents and users. Out: one that does nothing to a terminal, and cannot pass for more lines than it has."""

import re
from collections.abc import MutableMapping
from typing import Any

# C0 and C1 controls, marks that turn the direction of writing round, line and paragraph separators, lone surrogates.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
PLAIN_PATTERN = "^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"


def plain(text: str, longest: int = 0) -> str:
    """On one line, without what cannot be seen; cut where it is longer than `longest` (0: nowhere).

    >>> plain("one\\n two\\x1b[2J"), plain("abcdef", 4)
    ('one  two\ufffd[2J', 'abc…')
    """
    shown = _UNSEEN.sub(_instead, text)
    return shown if not longest or len(shown) <= longest else shown[: longest - 1] + "…"


def plain_lines(text: str) -> str:
    """The same, with its lines as they are."""
    return "\n".join(map(plain, text.split("\n")))


def escaped(json: str) -> str:
    r"""JSON that says the same, without characters that cannot be seen.

    >>> escaped('"\u202e"')
    '"\\u202e"'
    """
    return _UNSEEN.sub(lambda found: found[0] if found[0] in "\n" else f"\\u{ord(found[0]):04x}", json)


def is_plain(text: str) -> bool:
    """Whether nothing in it is unseen but the ends of its lines."""
    return _UNSEEN.sub(lambda found: "" if found[0] == "\n" else "!", text) == text.replace("\n", "")


def plain_values(_: object, __: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A step of structlog: what is logged in text writes no lines of its own."""
    return {name: plain(value) if isinstance(value, str) else value for name, value in told.items()}


def _instead(found: re.Match[str]) -> str:
    return " " if found[0] in "\t\n\r\u2028\u2029" else "\ufffd"
