"""Links that let the owner of a site into its dashboard, once. In: a site. Out: an address with a key; "" where no dashboard is up."""

from urllib.parse import quote

from arkwright.cli.moment import this_moment
from arkwright.standalone.site import Site
from arkwright.web.sessions import Entrance


def link_of(site: Site, path: str = "/") -> str:
    """A new one each time, to the page at `path`; made from a file that only the owner can read."""
    port = site.dashboard_port() if site.keeper() else 0
    try:
        key = site.dashboard_key.read_bytes()
    except OSError:
        return ""
    following = f"&next={quote(path)}" if path != "/" else ""
    return f"http://127.0.0.1:{port}/enter?key={Entrance(key, this_moment).issue()}{following}" if port else ""
