"""`arkwright open`: the dashboard, at one release. In: a name. Out: a browser that shows it, and its address on standard output."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from arkwright.cli.cluster import Namespace, chosen, complete_deployments, with_cluster
from arkwright.cli.deciding import DEPLOYMENTS
from arkwright.cli.links import link_of
from arkwright.cli.naming import bare_name
from arkwright.cli.output import fail, note
from arkwright.clients.kube import KubeClient
from arkwright.standalone.site import site_of_kubeconfig

PORT_FORWARD = "kubectl port-forward service/arkwright-dashboard 6480, then --url http://127.0.0.1:6480"
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def open_(
    name: Annotated[
        str, typer.Argument(help="The ModuleDeployment; all if left out.", autocompletion=complete_deployments)
    ] = "",
    namespace: Namespace = "",
    url: Annotated[
        str, typer.Option(help="Where the dashboard is, if not this machine's site's.", envvar="ARKWRIGHT_DASHBOARD")
    ] = "",
    only_print: Annotated[bool, typer.Option("--print", help="Only print the address.")] = False,
) -> None:
    """Show a release on the dashboard, in a browser."""
    path = with_cluster(lambda kube: _path(kube, namespace, bare_name(name))) if name else "/"
    site = None if url else site_of_kubeconfig()
    address = link_of(site, path) if site else url.rstrip("/") + path if url else ""
    if not address:
        fail("it is not known where the dashboard is", PORT_FORWARD)
    typer.echo(address)
    if not only_print and sys.stdout.isatty() and _has_screen() and webbrowser.open(address):
        note("opened in a browser")


async def _path(kube: KubeClient, namespace: str, name: str) -> str:
    """Of the page of a release that is there. Raises NotFound."""
    found = await kube.get(DEPLOYMENTS, chosen(kube, namespace), name)
    return f"/releases/{found.metadata.namespace}/{found.name}"


def _has_screen() -> bool:
    """Without one a browser of text would take the terminal."""
    return sys.platform == "darwin" or any(os.environ.get(one) for one in DISPLAYS)
