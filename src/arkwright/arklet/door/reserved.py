"""What a base answers itself, as far as its application tells. In: the application. Out: first segments of its paths.

Starlette's and what is made of it have `routes`, Flask and Quart a `url_map`; others tell nothing, and a setting lists their paths. A path whose first
segment is a parameter answers everything, and reserves nothing.
"""

from collections.abc import Iterable
from typing import Any

PARAMETERS = ("{", "<", ":", "*", "(")


def reserved_by(application: Any) -> frozenset[str]:
    """Never raises: an application may have attributes of any kind by these names."""
    try:
        return frozenset(filter(None, map(first_segment, _paths(application))))
    except Exception:
        return frozenset()


def first_segment(path: str) -> str:
    """ "" where it is a parameter.

    >>> first_segment("/admin/users/{id}"), first_segment("/{page}"), first_segment("/"), first_segment("/files-{name}")
    ('admin', '', '', '')
    """
    segment = path.lstrip("/").partition("/")[0]
    return "" if any(one in segment for one in PARAMETERS) else segment


def _paths(application: Any) -> Iterable[str]:
    for route in getattr(application, "routes", None) or ():
        path = getattr(route, "path", None)
        if isinstance(path, str):
            yield path
        elif isinstance(route, str):
            yield route
    url_map = getattr(application, "url_map", None)
    for rule in url_map.iter_rules() if url_map is not None else ():
        yield str(rule.rule)
