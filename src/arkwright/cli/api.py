"""`arkwright api`: the embedded Kubernetes API alone."""

import typer
import uvloop

from arkwright.apiserver.app import run_api
from arkwright.apiserver.store import StoreDamaged, StoreFailed
from arkwright.cli.loglines import log_lines
from arkwright.cli.output import fail
from arkwright.cli.siteoptions import DataDir, Host, Port
from arkwright.cli.unsaid import NO_ROOM
from arkwright.standalone.site import USUAL_PORT, site_in


def api(
    data_dir: DataDir = None,
    host: Host = "127.0.0.1",
    port: Port = USUAL_PORT,
) -> None:
    """The embedded Kubernetes API alone, in the foreground; says its address once it serves."""
    site = site_in(data_dir)
    log_lines()
    try:
        uvloop.run(run_api(site.directory, host, port, typer.echo))
    except StoreDamaged as error:
        fail(str(error))
    except StoreFailed as error:
        fail(str(error), f"`arkwright down{site.option}` stops the other server; --data-dir chooses another place")
    except OSError as error:
        if error.errno in NO_ROOM:
            fail(
                f"{site.directory} cannot be written: {error.strerror}", "make room there; what is stored is as it was"
            )
        fail(f"cannot listen on {host}:{port}: {error.strerror}", "choose another port with --port (0: any free one)")
