"""How modules may be called. In: names, versions, web paths, from archives and from callers. Out: nothing, or what is wrong in words.

Names are those of Python packages (PEP 508), versions what a file name can hold, web paths one segment of letters and digits in any language. So whatever is
installed can be listed, logged, asked for and removed.
"""

import re

from packaging.utils import canonicalize_name

from arkwright.model.text import plain

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_~-]{0,127}")
WEB_PATH = re.compile(r"(?!\.{1,2}$)[\w.~-]{1,63}")  # letters of any language
OF_THE_BASE = "base"  # what the agent calls the base itself
SHOWN = 80


def wrong_name(name: str) -> str:
    """ "" for one that may be.

    >>> wrong_name("provider"), wrong_name("Base")
    ('', "'Base' is what the base itself is called")
    """
    if not NAME.fullmatch(name):
        return f"{plain(name, SHOWN)!r} is no name: up to 100 letters, digits, dots, dashes and underscores, a letter or digit at both ends"
    return f"{name!r} is what the base itself is called" if canonicalize_name(name) == OF_THE_BASE else ""


def wrong_version(version: str) -> str:
    """
    >>> wrong_version("1.0.2-SNAPSHOT"), wrong_version("1/2")[:21]
    ('', "'1/2' is no version: ")
    """
    if VERSION.fullmatch(version):
        return ""
    return (
        f"{plain(version, SHOWN)!r} is no version: up to 128 letters, digits and . ! + _ ~ -, a letter or digit first"
    )


def wrong_web_path(web_path: str, taken: frozenset[str]) -> str:
    """`taken`: first segments of what the base answers itself."""
    if not WEB_PATH.fullmatch(web_path):
        said = f"{plain(web_path, SHOWN)!r}, which is not one segment of letters, digits and . _ ~ -, as in"
        return f'{said} "provider"'
    return f"/{web_path}, which the base answers itself" if web_path in taken else ""
