"""HTTP servers that bear their clients. In: an ASGI application, bounds. Out: the same application served, and nobody who can hold it up.

`entrance` makes TLS for whoever has begun to speak it, `connections` takes requests within bounds, `servers` puts them together.
"""

from arkwright.listening.bodies import whole_body
from arkwright.listening.connections import BoundedProtocol, Bounds, bounded
from arkwright.listening.servers import BoundedServer, raise_descriptors, share_of_descriptors, spare_the_collector

__all__ = [
    "BoundedProtocol",
    "BoundedServer",
    "Bounds",
    "bounded",
    "raise_descriptors",
    "share_of_descriptors",
    "spare_the_collector",
    "whole_body",
]
