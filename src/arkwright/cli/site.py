"""`arkwright up`, `down`, `logs`, `backup` and `restore`: everything on one machine, without a cluster."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from arkwright.apiserver.store import StoreFailed, copy
from arkwright.apiserver.store import restore as put_back
from arkwright.cli.links import link_of
from arkwright.cli.loglines import log_lines
from arkwright.cli.output import fail, note
from arkwright.cli.progress import counting, working
from arkwright.cli.siteoptions import Addresses, DataDir, Host, Port, require_host, require_network
from arkwright.cli.unsaid import NO_ROOM
from arkwright.model.text import plain_lines
from arkwright.private import keep_private, make_private
from arkwright.standalone.logfiles import begin
from arkwright.standalone.site import DASHBOARD_PORT, USUAL_PORT, Site, SiteTaken, Wish, site_at_hand, site_in

UP_SECONDS, DOWN_SECONDS = 60, 60


def up(
    data_dir: DataDir = None,
    bases: Annotated[
        int | None, typer.Option(min=0, help="Base pods of Deployment default/base; left as they are without it.")
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = USUAL_PORT,
    addresses: Addresses = None,
    with_controller: Annotated[
        bool, typer.Option("--controller/--no-controller", help="Without it, run one of your own.")
    ] = True,
    with_dashboard: Annotated[bool, typer.Option("--dashboard/--no-dashboard", help="A web page of releases.")] = True,
    dashboard_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the dashboard; another one where it is taken.")
    ] = DASHBOARD_PORT,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, until Ctrl-C.")] = False,
) -> None:
    """Start a Kubernetes API, the controller and base processes on this machine."""
    require_network(addresses)
    require_host(host)
    site = site_in(data_dir)
    if keeper := site.keeper():
        fail(
            f"the site in {site.directory} is up already (process {keeper[0]})",
            f"`arkwright down{site.option}` stops it",
        )
    _make_place(site)
    if foreground:
        log_lines()
        shown = dashboard_port if with_dashboard else None
        _stay(site, Wish(host, port, bases, addresses, with_controller, shown))
        return
    words = ["up", "--foreground", "--data-dir", str(site.directory), "--host", host, "--port", str(port)]
    words += ["--addresses", addresses] if addresses else []
    words += ["--bases", str(bases)] if bases is not None else []
    words += [] if with_controller else ["--no-controller"]
    words += ["--dashboard-port", str(dashboard_port)] if with_dashboard else ["--no-dashboard"]
    _start_detached(site, words)
    _welcome(site)


def _make_place(site: Site) -> None:
    """Also one that is there already is its owner's alone from now on, with all that a site has in it."""
    keep_private()
    try:
        site.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(site.directory, site.PRIVATE)
    except OSError as error:
        fail(f"--data-dir {site.directory}: {error.strerror}", "name a directory that can be written")


def _stay(site: Site, wish: Wish) -> None:
    import uvloop  # loading all this takes half a second, and only who stays needs it

    from arkwright.standalone.app import run_site
    from arkwright.standalone.parts import PartFailed
    from arkwright.standalone.ranges import RangeTaken

    try:
        uvloop.run(run_site(site, wish))
    except SiteTaken as error:
        fail(str(error), f"`arkwright down{site.option}` stops it")
    except RangeTaken as error:
        fail(f"--addresses: {error}", "choose other ones; without the option, a range that is free is taken")
    except PartFailed as error:
        fail(str(error))
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        fail(f"{site.directory} cannot be written: {error.strerror}", "make room there; what is stored is as it was")


def _start_detached(site: Site, words: list[str]) -> None:
    site.logs.mkdir(parents=True, exist_ok=True)
    log = site.logs / "site.log"
    begin(log)
    with log.open("ab") as output:
        command = [sys.executable, "-m", "arkwright", *words]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + UP_SECONDS
    with working("starting the API server, the controller and the bases"):
        while site.keeper() is None:
            if process.poll() is not None:
                fail(log.read_text(errors="replace").strip().removeprefix("error: ") or "it ended without a word")
            if time.monotonic() > deadline:
                process.terminate()
                fail(f"it is not up after {UP_SECONDS} s", f"see {log}")
            time.sleep(0.02)


def _welcome(site: Site) -> None:
    found = site.keeper()
    note(f"up: {found[1] if found else ''}")
    typer.echo(f"export KUBECONFIG={site.kubeconfig}")
    if link := link_of(site):
        note(f"dashboard: {link}   (once; arkwright dashboard --link{site.option} for another)")
    note(f"next: export that line, then kubectl get pods; arkwright down{site.option} stops it")


def down(data_dir: DataDir = None) -> None:
    """Stop what `up` has started; objects stay for the next `up`."""
    site = site_in(data_dir)
    keeper = site.keeper()
    if keeper is None:
        note(f"nothing is up in {site.directory}")
        return
    os.kill(keeper[0], signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    with working("stopping"):
        while site.keeper() is not None:
            if time.monotonic() > deadline:
                fail(f"process {keeper[0]} has not ended after {DOWN_SECONDS} s", f"see {site.logs / 'site.log'}")
            time.sleep(0.02)
    note(f"down; all objects are in {site.store}")


def logs(
    base: Annotated[str, typer.Argument(help="A base pod, or api, controller, site.")] = "",
    data_dir: DataDir = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on, until Ctrl-C.")] = False,
) -> None:
    """What a base pod, or a part of the site, has said."""
    site = site_at_hand(data_dir)
    files = {file.stem: file for directory in (site.logs, site.pod_logs) for file in sorted(directory.glob("*.log"))}
    if base not in files:
        known = ", ".join(sorted(files)) or "none yet"
        fail(f"there is no log of {base!r}" if base else "say whose log", f"known: {known}")
    with files[base].open(errors="replace") as file, contextlib.suppress(KeyboardInterrupt):
        while True:
            if text := file.read():
                typer.echo(plain_lines(text) if sys.stdout.isatty() else text, nl=False)
            if not follow:
                return
            time.sleep(0.2)


def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; a file that is there is not overwritten.")],
    data_dir: DataDir = None,
) -> None:
    """Copy all objects of the site into one file, while it is up or not; as `store.db` of another site they are back."""
    keep_private()
    site = site_at_hand(data_dir)
    if file.exists():
        fail(f"{file} is there already", "choose another name")
    if not site.store.exists():
        fail(f"there is no site in {site.directory}", "--data-dir says where it is")
    try:
        with counting("copying objects") as told:
            count = copy(site.store, file, told)
    except StoreFailed as error:
        fail(str(error))
    note(f"{file}: {count} versions; to go back: arkwright down{site.option}; arkwright restore{site.option} {file}")


def restore(
    file: Annotated[Path, typer.Argument(help="What `arkwright backup` has written.")],
    data_dir: DataDir = None,
) -> None:
    """Put the objects of a backup in the place of the site's, which is down; what there was is kept beside it."""
    site = site_in(data_dir)
    if keeper := site.keeper():
        fail(f"the site in {site.directory} is up (process {keeper[0]})", f"`arkwright down{site.option}` stops it")
    if not file.is_file():
        fail(f"there is no file {file}", "`arkwright backup FILE` writes one")
    _make_place(site)
    try:
        with counting("copying objects") as told:
            count, former = put_back(file.resolve(), site.store, told)
    except StoreFailed as error:
        fail(str(error))
    note(f"{site.store}: {count} versions from {file}" + (f"; what was there is {former}" if former else ""))
    note(f"next: arkwright up{site.option}")
