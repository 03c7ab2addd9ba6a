"""docs/first-module.md, line by line: its files are written, its commands are run and show what the page says.

The package that its module requires comes from a directory, in a version that can do what the page asks of it: no index is needed.
"""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from arklet.test_alone import Alone

PAGE = Path(__file__).parents[2] / "docs" / "first-module.md"
PART = re.compile(r"(?:`([\w/.]+)`\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
SHAPES = [
    (r"after \d+\.\d s", "after SECONDS"),
    (r" +\n", "\n"),
    (r"(?m)^building and installing \w+ …\n", ""),  # said where it takes longer than a moment
]
HUMANIZE = {
    "humanize/__init__.py": "def apnumber(number): return {3: 'three'}[number]",
    "humanize-4.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: humanize\nVersion: 4.0\n",
    "humanize-4.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "humanize-4.0.dist-info/RECORD": "",
}


def shape(text):
    for pattern, instead in SHAPES:
        text = re.sub(pattern, instead, text)
    return text.strip()


@pytest.fixture
def index(tmp_path_factory):
    """A directory in which pip finds what the page requires."""
    directory = tmp_path_factory.mktemp("index")
    with zipfile.ZipFile(directory / "humanize-4.0-py3-none-any.whl", "w") as wheel:
        for name, text in HUMANIZE.items():
            wheel.writestr(name, text)
    return directory


@pytest.fixture
def desk(tmp_path, worker_number, index):
    """Where the reader sits; the base that the page starts ends with the test."""
    found = Desk(tmp_path, f"127.7.{worker_number}.16")
    found.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    yield found
    for process in found.running:
        process.terminate()
        process.wait(20)


class Desk:
    def __init__(self, directory, host):
        self.directory, self.host, self.running = directory, host, []
        self.environment = os.environ | {"POD_IP": host, "ARKWRIGHT_AGENT": f"{host}:1238", "COLUMNS": "120"}

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, command):
        if command.startswith("arkwright base"):
            words = [sys.executable, "-m", *command.split()]
            self.running.append(subprocess.Popen(words, cwd=self.directory, env=self.environment))
            Alone.until(lambda: not self.run("arkwright module list").startswith("error"))
            return ""
        command = command.replace("127.0.0.1", self.host).replace("curl", "curl -s")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.stdout


def console_steps(text):
    """(command, what it printed) of a console block."""
    for part in text.split("$ ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def test_the_page_shows_what_happens(desk):
    for name, kind, text in PART.findall(PAGE.read_text()):
        if kind != "console":
            desk.write(name, text)
            continue
        for command, output in console_steps(text):
            assert shape(desk.run(command)) == shape(output), f"$ {command}"
