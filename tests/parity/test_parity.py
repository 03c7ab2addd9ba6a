"""Every case of the table, in each isolation, is what it is alone, or what the list of differences says of it."""

import asyncio
import itertools
import os

import pytest

from arklet.wheels import entry, write_wheel
from parity.alone import served_alone
from parity.bases import PLAIN, Base, served_as_module
from parity.cases import CASES
from parity.differences import DIFFERENCES, unexplained
from parity.seen import differences
from parity.table import PROCESS

pytestmark = pytest.mark.timeout(90)


class Stage:
    """Where cases are played by one test process: addresses, directories, bases, and what was seen of cases alone."""

    def __init__(self, directory, worker):
        self.directory, self._host = directory, f"127.71.{worker}.20"
        self._ports, self._numbers = itertools.count(18000, 2), itertools.count(1)
        self._bases, self._alone = {}, {}
        self.beside = directory / "beside"
        self.beside.mkdir()
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        one_order = {"PYTHONHASHSEED": "0"}  # of what is printed of sets
        self.environment = kept | one_order | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.beside)}

    def where(self):
        return self._host, next(self._ports)

    def room(self, what):
        made = self.directory / f"{what}-{next(self._numbers)}"
        made.mkdir()
        return made

    async def alone(self, case):
        if case.name not in self._alone:
            wheels = [wheel(self.room("alone"), case, "1.0", PROCESS), *_beside(self, case)]
            self._alone[case.name] = await served_alone(case, wheels, self.where(), self.environment)
        return self._alone[case.name]

    async def base(self, case, isolation):
        """One that is as a new one is; a case that wants another has its own."""
        if not (case.base or case.settings) and isolation in self._bases:
            return self._bases.pop(isolation)
        base = Base(self.room("base"), self.where(), self.environment, case.base or PLAIN, case.settings)
        await base.start()
        return base

    def back(self, base, isolation, is_clean):
        if is_clean and base.is_usual:
            self._bases[isolation] = base
        else:
            base.end()

    def close(self):
        for base in self._bases.values():
            base.end()


def _beside(stage, case):
    return [write_wheel(stage.beside, name, "1.0", **parts) for name, parts in case.beside.items()]


def wheel(directory, case, version, isolation, contents=None):
    target = entry("served", case.target, isolation)
    return write_wheel(directory, "served", version, contents or case.contents, target, case.needs)


def wheels_of(directory, case, isolation):
    """Of two versions that work and, if the case has one, of one that does not."""
    working = [wheel(directory, case, version, isolation) for version in ("1.0", "2.0")]
    if not case.fails_first:
        return working
    return [*working, wheel(directory, case, "0.9", isolation, case.contents | {"served/web.py": case.fails_first})]


@pytest.fixture(scope="session")
def stage(tmp_path_factory, worker_number):
    made = Stage(tmp_path_factory.mktemp("parity"), worker_number)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("case", "isolation"),
    [pytest.param(case, one, id=f"{case}-{one}") for case in CASES for one in case.isolations],
)
async def test_a_module_is_what_it_is_alone(stage, case, isolation, record_property):
    _beside(stage, case)
    aside = asyncio.create_task(stage.alone(case))
    base, room = await stage.base(case, isolation), stage.room(isolation)
    is_clean = False
    try:
        module = await served_as_module(case, base, wheels_of(room, case, isolation), aside)
        is_clean = not module.left
    finally:
        stage.back(base, isolation, is_clean)
    alone = await aside
    found = differences(case, alone, module)
    for what, pair in found.items():
        record_property(what, repr(pair))  # what is listed can be read in a report as well
    if said := unexplained(found, DIFFERENCES.get((case.name, isolation))):
        pytest.fail(_told(said, found, alone, module), pytrace=False)


def _told(said, found, alone, module):
    pairs = "\n".join(f"  {what}\n    alone:  {one}\n    module: {other}" for what, (one, other) in found.items())
    return f"{said}\n{pairs}\n--- log alone\n{alone.log[-3000:]}\n--- log of the base\n{module.log[-3000:]}"


def test_every_difference_that_is_listed_is_of_a_case():
    assert {name for name, _ in DIFFERENCES} <= {case.name for case in CASES}


def test_cases_have_names_of_their_own():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 80
