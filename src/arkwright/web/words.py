"""The page's own words in the viewer's language. In: an English sentence. Out: the same, or its translation.

What the cluster says (conditions, Events, refusals) is shown in its own words, whatever the language.
"""

from collections.abc import Callable
from functools import cache

from arkwright.web.chinese import CHINESE

Words = Callable[..., str]


@cache
def translated(language: str) -> Words:
    """A function of a sentence, and of what is filled into its braces."""
    known = CHINESE if language == "zh" else {}

    def say(sentence: str, *values: object) -> str:
        said = known.get(sentence, sentence)
        return said.format(*values) if values else said

    return say
