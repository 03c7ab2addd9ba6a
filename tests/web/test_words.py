"""The page's own words are there in both languages."""

import re

import pytest

from arkwright.web.chinese import CHINESE
from arkwright.web.words import translated
from web.conftest import ROOT

WEB = ROOT / "src" / "arkwright" / "web"
IN_CALLS = re.compile(r"""\bt\(\s*(?:"([^"]+)"|'([^']+)')""")
IN_TABLES = re.compile(r"{% set (?!MARKS|PATHS)[A-Z]+ = ({[^}]+}) %}")
IN_CODE = re.compile(r"""(?:_said\(request, |_ask\(request, (?:path|"/"), |said = )"([^"]+)"(?:, "([^"]+)")?""")


def said():
    for file in sorted(WEB.rglob("*.html")):
        text = file.read_text()
        yield from ("".join(one) for one in IN_CALLS.findall(text))
        yield from (word for one in IN_TABLES.findall(text) for word in re.findall(r': "([^"]+)"', one))
    for name in ("login.py", "routes.py"):
        yield from (one for found in IN_CODE.findall((WEB / name).read_text()) for one in found if one)


@pytest.mark.parametrize("sentence", sorted(set(said())))
def test_every_sentence_is_there_in_chinese_with_the_same_places(sentence):
    assert sentence in CHINESE
    assert len(re.findall(r"{\d?}", sentence)) == len(re.findall(r"{\d?}", CHINESE[sentence]))


def test_no_translation_is_of_a_sentence_that_nobody_says():
    text = "".join(one.read_text() for one in [*WEB.rglob("*.html"), *WEB.glob("*.py")] if one.name != "chinese.py")
    assert [one for one in CHINESE if one not in text] == []


def test_what_is_filled_in_comes_where_the_language_wants_it():
    assert translated("zh")("Replace {} on {}", "1.0", "pod") == "替换 pod 上的 1.0"
    assert translated("en")("Replace {} on {}", "1.0", "pod") == "Replace 1.0 on pod"
