"""A module's own logging is as it says, and the base's does not feel it."""

import logging

import pytest

from arklet.sharing import TAIL, Served

LOGS = """
import logging
class Json(logging.Formatter):
    def format(self, record):
        return f"JSON {record.name} {record.levelname} {record.getMessage()}"
"""
CALLS = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
log = logging.getLogger(__name__)
async def hello(request):
    log.debug("a debug line"); log.info("an info line"); log.warning("a warning line")
    return PlainTextResponse(f"{log.name} {log.getEffectiveLevel()}")
app = Starlette(routes=[Route("/", hello)])
"""
OWN_LOGGER = """
import logging, logging.config
logging.config.dictConfig({
    "version": 1, "disable_existing_loggers": False,
    "formatters": {"json": FORMAT},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {"served": {"level": "DEBUG", "handlers": ["out"], "propagate": False}},
})
"""
DEFAULTS = """
import logging, logging.config
logging.config.dictConfig({
    "version": 1,
    "formatters": {"f": {"format": "MOD %(levelname)s %(name)s %(message)s"}},
    "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}},
    "root": {"level": "INFO", "handlers": ["h"]},
})
"""
FILE_CONFIG = """
import io, logging, logging.config
logging.config.fileConfig(io.StringIO('''
[loggers]
keys=root
[handlers]
keys=h
[formatters]
keys=f
[logger_root]
level=INFO
handlers=h
[handler_h]
class=StreamHandler
formatter=f
args=()
[formatter_f]
format=MOD %(levelname)s %(name)s %(message)s
'''))
"""
BASIC = "import logging\nlogging.basicConfig(level=logging.INFO, force=True, format='MOD %(levelname)s %(name)s %(message)s')\n"
DISABLED = "import logging\nlogging.disable(logging.WARNING)\n"


@pytest.fixture
def served(base, tmp_path):
    return Served(base, tmp_path)


@pytest.fixture
def shop():
    """A logger of the base."""
    return logging.getLogger("shop")


def state_of_the_bases_logging():
    root = logging.root
    known = {name: one for name, one in root.manager.loggerDict.items() if isinstance(one, logging.Logger)}
    loggers = {name: (one.level, one.disabled, one.propagate, list(one.handlers)) for name, one in known.items()}
    return list(root.handlers), root.level, root.manager.disable, loggers.get("shop"), loggers.get("arkwright")


@pytest.mark.parametrize(
    "form", ['{"()": "served.logs.Json"}', '{"format": "JSON %(name)s %(levelname)s %(message)s"}']
)
async def test_a_logger_named_after_its_package_is_parent_of_its_files_loggers(served, capfd, form):
    await served.install(OWN_LOGGER.replace("FORMAT", form) + CALLS, logs=LOGS)
    assert await served.says() == "served.web 10"
    printed = [line for line in capfd.readouterr().err.splitlines() if line.startswith("JSON")]
    assert printed == [f"JSON served.web {level} {text} line" for level, text in SAID]
    assert await served.uninstall() == []


SAID = [("DEBUG", "a debug"), ("INFO", "an info"), ("WARNING", "a warning")]


@pytest.mark.parametrize("configures", [DEFAULTS, FILE_CONFIG, BASIC], ids=["dictConfig", "fileConfig", "basicConfig"])
async def test_what_it_sets_for_the_root_is_its_own_roots(served, shop, capfd, caplog, configures):
    before = state_of_the_bases_logging()
    await served.install(configures + CALLS)
    assert state_of_the_bases_logging() == before
    assert await served.says() == "served.web 20"
    assert [one for one in capfd.readouterr().err.splitlines() if one.startswith("MOD")] == [
        "MOD INFO served.web an info line",
        "MOD WARNING served.web a warning line",
    ]
    shop.warning("a line of the base")
    assert "a line of the base" in caplog.messages and "a warning line" not in caplog.messages
    assert await served.uninstall() == [] and state_of_the_bases_logging() == before


async def test_a_level_that_it_disables_is_disabled_for_itself(served, shop, caplog):
    await served.install(DISABLED + CALLS)
    await served.says()
    shop.warning("a line of the base")
    assert "a line of the base" in caplog.messages and "a warning line" not in caplog.messages


async def test_two_versions_have_a_logger_of_one_name_each(served, caplog):
    for version, level in (("1.0", 10), ("2.0", 40)):
        await served.install(f"import logging\nlogging.getLogger('served').setLevel({level})\n" + CALLS, version)
    for version, level in (("1.0", "10"), ("2.0", "40"), ("1.0", "10")):
        await served.switch(version)
        assert await served.says() == f"served.web {level}"


async def test_functions_of_logging_speak_for_the_module_and_name_its_file(served, capfd):
    form = "%(filename)s:%(lineno)d %(funcName)s %(message)s"
    web = (
        f"import logging\nlogging.basicConfig(level=10, format={form!r})\ndef SAYS():\n    logging.info('said')\n"
        + TAIL
    )
    await served.install(web)
    await served.says()
    assert "web.py:4 SAYS said" in capfd.readouterr().err


async def test_loggers_of_libraries_and_of_the_base_are_not_reached_and_that_is_said(served, shop, caplog):
    config = {"version": 1, "loggers": {"shop": {"level": "DEBUG"}, "served": {"level": "DEBUG"}}}
    await served.install(f"import logging, logging.config\nlogging.config.dictConfig({config})" + CALLS)
    assert shop.level == logging.NOTSET and await served.says() == "served.web 10"
    said = (
        "served:1.0 configures loggers of the base by dictConfig: shop. They stay as they are, its own are as it says"
    )
    assert said in caplog.messages


async def test_what_it_sets_on_a_logger_of_a_library_is_told_and_put_back(served, shop):
    web = "import logging\nlogger = logging.getLogger('shop')\nlogger.setLevel(10)\nlogger.addHandler(logging.NullHandler())\n"
    await served.install(web + CALLS)
    assert shop.level == 10
    assert await served.changed() == ["logger shop"]
    assert await served.uninstall() == [] and (shop.level, shop.handlers) == (logging.NOTSET, [])


async def test_what_it_logs_to_a_file_the_base_logs_too(served, tmp_path, caplog):
    file = str(tmp_path / "its.log")
    await served.install(f"import logging\nlogging.getLogger().addHandler(logging.FileHandler({file!r}))\n" + CALLS)
    await served.says()
    assert "a warning line" in caplog.messages and (tmp_path / "its.log").read_text() == "a warning line\n"


async def test_a_failed_start_leaves_the_bases_logging_as_it_was(served, shop, caplog):
    before = state_of_the_bases_logging()
    answer = await served.try_to_install(DEFAULTS + "logging.disable(50)\n1 / 0")
    assert "ZeroDivisionError" in answer["message"] and state_of_the_bases_logging() == before
