"""Addresses as people and sockets write them. In: text. Out: what it means."""

import ipaddress


def is_loopback(host: str) -> bool:
    """
    >>> is_loopback("127.93.64.2"), is_loopback("::1"), is_loopback("localhost"), is_loopback("10.0.0.1"), is_loopback("")
    (True, True, True, False, False)
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def host_of(text: str) -> str:
    """Of a Host header, or of an address with a port.

    >>> host_of("127.0.0.1:1238"), host_of("[::1]:1238"), host_of("localhost"), host_of("https://base.example:1238/x")
    ('127.0.0.1', '::1', 'localhost', 'base.example')
    """
    text = text.partition("://")[2] or text
    text = text.partition("/")[0]
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def joined(host: str, port: int) -> str:
    """
    >>> joined("::1", 80), joined("127.0.0.1", 80)
    ('[::1]:80', '127.0.0.1:80')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
