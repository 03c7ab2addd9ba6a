"""A module that does whatever Python lets it do, in each isolation: two versions of it, with two of one dependency, side by side."""

import logging

import pytest

from arklet.wheels import entry, tree, write_wheel

MODES = ("shared", "process")
IN_PROCESS = ("shared",)
VERSIONS = ("1.0.0", "2.0.0")
SAME_IN_ALL = {
    "star_import": "starred",
    "import_by_string": "same",
    "own_name_in_sys_modules": "found",
    "circular": "ab",
    "namespace_package": "a part of a namespace package",
    "data_file": "hello from the archive",
    "dataclass": "3",
    "pickled": "same",
    "type_hints": "Colour",
    "logged": "said",
}
SAYS_ITS_VERSION = ("version", "imports", "import_in_exec", "context_variables", "thread")
REFUSED = {
    "start_process": "torture:1.0.0 must not start processes that would import it anew; isolation process lets it",
    "fork": "torture:1.0.0 must not fork the base; isolation process lets it",
    "handle_signal": "torture:1.0.0 must not set a signal handler: signals are the base's; isolation process lets it",
    "handle_signal_by_loop": "torture:1.0.0 must not set a signal handler: signals are the base's; isolation process lets it",
}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Where pip finds packages: two versions of one dependency."""
    directory = tmp_path / "index"
    directory.mkdir()
    for version in VERSIONS:
        write_wheel(directory, "dependency", version, {"dependency/__init__.py": f"VERSION = {version!r}"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def torture(tmp_path, index, mode):
    def make(version, *requires):
        files = {**tree("torture"), "torture/values.py": f"VERSION = {version!r}"}
        points = entry("torture", "torture.web:app", mode)
        return write_wheel(tmp_path, "torture", version, files, points, requires).as_uri()

    return make


@pytest.fixture
async def both(base, torture, mode):
    """Both versions, with a dependency of their own where the mode has one."""
    for version in VERSIONS:
        requires = () if mode == "shared" else (f"dependency=={version}",)
        url = torture(version, *requires)
        answer = await base.command("installBiz", bizName="torture", bizVersion=version, bizUrl=url)
        assert answer["code"] == "SUCCESS", answer

    async def ask(probe, version):
        await base.command("switchBiz", bizName="torture", bizVersion=version)
        return await base.get(f"/torture/{probe}")

    return ask


async def test_every_form_of_import_and_look_up_finds_the_modules_own(both):
    for version in VERSIONS:
        found = {probe: await both(probe, version) for probe in SAME_IN_ALL}
        assert found == {probe: (200, expected) for probe, expected in SAME_IN_ALL.items()}
        assert {await both(probe, version) for probe in SAYS_ITS_VERSION} == {(200, version)}


@pytest.mark.parametrize("mode", ["process"], indirect=True)
async def test_two_versions_of_a_dependency_serve_side_by_side(both):
    assert [await both("dependency", version) for version in VERSIONS] == [(200, one) for one in VERSIONS]


@pytest.mark.parametrize("mode", IN_PROCESS, indirect=True)
async def test_what_only_a_process_may_do_is_refused_in_the_base(both):
    found = {probe: await both(probe, "1.0.0") for probe in REFUSED}
    assert found == {probe: (500, f"ModuleRefused: {said}") for probe, said in REFUSED.items()}


@pytest.mark.parametrize("mode", ["process"], indirect=True)
async def test_a_process_of_its_own_may_do_all_of_it(both):
    assert await both("start_process", "1.0.0") == (200, "started")
    assert await both("fork", "1.0.0") == (200, "forked")
    assert await both("handle_signal", "1.0.0") == (200, "handled")
    assert await both("handle_signal_by_loop", "1.0.0") == (200, "handled")


@pytest.mark.parametrize("mode", IN_PROCESS, indirect=True)
async def test_log_records_carry_the_modules_identity(both, caplog):
    await both("logged", "2.0.0")
    records = {record.message: record for record in caplog.records if record.message.startswith("said")}
    assert records["said by 2.0.0"].name == "torture.probes"
    assert records["said for 2.0.0"].name == "a.library"
    assert {record.arkwright_module for record in records.values()} == {"torture:2.0.0"}


@pytest.mark.parametrize("mode", ["process"], indirect=True)
async def test_what_a_process_says_is_in_the_bases_log(both, caplog):
    caplog.set_level(logging.INFO)
    await both("logged", "2.0.0")
    (found,) = [one for one in caplog.records if one.message == "said by 2.0.0"]
    assert (found.levelname, found.name, found.arkwright_module) == ("WARNING", "torture.probes", "torture:2.0.0")


@pytest.mark.parametrize("mode", ["shared"], indirect=True)
async def test_shared_refuses_what_the_base_cannot_give_and_names_both_versions(base, torture):
    async def refused(*requires):
        url = torture("1.0.0", *requires)
        answer = await base.command("installBiz", bizName="torture", bizVersion="1.0.0", bizUrl=url)
        return answer["message"]

    assert "it needs starlette<0.1, the base has starlette 1." in await refused("starlette<0.1")
    assert "it needs dependency>=1, the base has no dependency" in await refused("dependency>=1")
    assert ", the base has no trio" in await refused("anyio[trio]"), "of which the base has all but the extra"
    assert "isolation process" in await refused("dependency>=1")
    assert await base.states() == {}


@pytest.mark.parametrize("mode", ["process"], indirect=True)
async def test_what_pip_cannot_find_is_told_in_its_words(base, torture):
    url = torture("1.0.0", "nobody-has-this>=3")
    answer = await base.command("installBiz", bizName="torture", bizVersion="1.0.0", bizUrl=url)
    assert "cannot install nobody-has-this>=3 beside the module" in answer["message"]
    assert "No matching distribution found" in answer["message"]


async def test_requirements_that_the_base_meets_are_shared(base, torture):
    answer = await base.command("installBiz", bizUrl=torture("1.0.0", "starlette>=0.1", "nothing; extra == 'more'"))
    assert answer["code"] == "SUCCESS"


async def isolation_of(base):
    return [one["isolation"] for one in (await base.command("queryAllBiz"))["data"]]


async def test_the_archive_says_which_isolation_it_wants(base, torture, mode):
    await base.command("installBiz", bizUrl=torture("1.0.0"))
    assert await isolation_of(base) == [mode]


@pytest.mark.parametrize("mode", ["shared"], indirect=True)
@pytest.mark.parametrize("modules", [{"torture": {"isolation": "process"}}])
async def test_the_settings_of_the_base_win_over_the_archive(base, torture, modules):
    await base.command("installBiz", bizUrl=torture("1.0.0"))
    assert await isolation_of(base) == ["process"]
