"""Columns that are names and dots alone are read without the library, and as the library reads them."""

import jsonpath
import pytest

from arkwright.apiserver.wire.tables import PLAIN_PATH, _path

DOCUMENTS = [
    {},
    {"spec": None},
    {"spec": "text"},
    {"spec": []},
    {"spec": [{"module": {"name": "a"}}]},
    {"spec": {"module": None}},
    {"spec": {"module": {"name": None}}},
    {"spec": {"module": {"name": "a"}}},
    {"spec": {"module": {"name": ["a", "b"]}}},
    {"spec": {"module": {"name": {"deep": 1}}}},
    {"spec": {"module": {"name": False}}},
]
PATHS = [".spec", ".spec.module", ".spec.module.name"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_plain_path_finds_what_the_library_finds(path, document):
    assert _path(path).findall(document) == jsonpath.compile("$" + path).findall(document)


@pytest.mark.parametrize(
    "path", [".spec.modules[0].name", ".spec['a.b']", ".metadata.labels.a\\.b", ".a-b", "..name", "", ".spec."]
)
def test_any_other_path_is_the_librarys(path):
    assert not PLAIN_PATH.fullmatch(path)
