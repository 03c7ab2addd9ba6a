"""Urls, as they may be shown. In: what users and agents wrote. Out: the same without what is a secret, or may be one."""

import re
from urllib.parse import urlsplit

UNREADABLE = "a url that cannot be read"
ODD = re.compile(r"[\\\s\x00-\x1f\x7f<>\"'`]")
IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
ENDS = ",;:.)]}"  # of a sentence rather than of a url


def without_secrets(url: str) -> str:
    """A url fit for messages and logs: no user, no password, no parameters, no query, which may be a signature, no fragment.

    >>> without_secrets("https://me:secret@archives.example/a.whl;sid=1?token=1#sha256=ab")
    'https://archives.example/a.whl'
    >>> without_secrets("http://me:secret@["), without_secrets("s3://KEY:SECRET@bucket/a.whl")
    ('a url that cannot be read', 's3://bucket/a.whl')
    """
    if ODD.search(url):
        return UNREADABLE
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return UNREADABLE
    if parts.scheme and not parts.netloc:
        path = parts.path.partition(";")[0]
        return UNREADABLE if "@" in path else f"{parts.scheme}:{'//' if url.startswith('file://') else ''}{path}"
    if "@" in parts.path and not parts.scheme:
        return UNREADABLE
    place = "" if host is None else f"[{host}]" if ":" in host else host
    place += f":{port}" if port is not None else ""
    start = f"{parts.scheme}://{place}" if parts.scheme else (f"//{place}" if parts.netloc else "")
    return start + parts.path.partition(";")[0]


def hide_secrets(text: str) -> str:
    """The same for each url in a text.

    >>> hide_secrets("cannot read http://me:secret@h/a.whl?sig=1: not found")
    'cannot read http://h/a.whl: not found'
    """
    return IN_TEXT.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    url = found[0].rstrip(ENDS)
    return without_secrets(url) + found[0][len(url) :]
