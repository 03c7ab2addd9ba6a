"""What a viewer asks for: which page, with which filters, in which language. In: path and query. Out: a frozen Question.

All that comes from the address is cut to what can be meant; who asks the same with the same sight gets the same page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from arkwright.model.text import plain

LONGEST, LONGEST_NAME, MOST_PAGES = 120, 253, 10_000
FILTERS = ("q", "namespace", "base", "state", "open")


@dataclass(frozen=True)
class Question:
    """`open`: the base pod of which all is shown, "" for none; the others are filters, "" for all."""

    path: str
    q: str = ""
    namespace: str = ""
    base: str = ""
    state: str = ""
    open: str = ""
    page: int = 1
    language: str = "en"

    def address(self, **changes: str | int) -> str:
        """The same page with other filters; without what is as usual.

        >>> Question("/", q="a b", page=3).address(state="person", page=1)
        '/?q=a+b&state=person'
        """
        other = replace(self, **changes)  # type: ignore[arg-type]
        said = {name: getattr(other, name) for name in FILTERS if getattr(other, name)}
        query = urlencode(said | ({"page": other.page} if other.page > 1 else {}))
        return f"{other.path}?{query}" if query else other.path


def question_of(path: str, query: Mapping[str, str], language: str) -> Question:
    """
    >>> question_of("/", {"q": " shop\\x1b ", "page": "-7"}, "en")
    Question(path='/', q='shop�', namespace='', base='', state='', open='', page=1, language='en')
    """
    longest = {"open": LONGEST_NAME}
    said = {name: plain(query.get(name, ""), longest.get(name, LONGEST)).strip() for name in FILTERS}
    number = query.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    return Question(path, **said, page=max(1, min(page, MOST_PAGES)), language=language)


def language_of(accepted: str) -> str:
    """By Accept-Language: Chinese where it comes before English.

    >>> [language_of(one) for one in ("zh-CN,zh;q=0.9,en;q=0.8", "en-GB,zh;q=0.5", "fr", "de, zh;q=0.3, en;q=x")]
    ['zh', 'en', 'en', 'zh']
    """
    weighed = sorted(map(_weighed, accepted[:500].split(",")), key=lambda one: -one[0])
    known = (word for weight, word in weighed if word in ("zh", "en") and weight > 0)
    return next(known, "en")


def _weighed(part: str) -> tuple[float, str]:
    word, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), word.lower().partition("-")[0]
    except ValueError:
        return 0.0, ""
