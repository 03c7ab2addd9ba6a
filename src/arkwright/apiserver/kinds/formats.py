"""How names, labels, ports and quantities are written. In: text. Out: what is wrong with it, in Kubernetes' words. Pure."""

import re
from decimal import Decimal, InvalidOperation

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_PART = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_SAYS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end"
    f" with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_SAYS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an"
    f" alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SAYS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end"
    f" with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_DNS_1035}')"
)
_SAYS_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_PART}')"
)
_SAYS_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with"
    f" an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_VALUE}')"
)
_SAYS_CONFIG = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    "  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_SAYS_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for"
    " validation is '[0-9]+%')"
)
_SAYS_VARIABLE = "a valid environment variable name must consist only of printable ASCII characters other than '='"
SAYS_PORT = "must be between 1 and 65535, inclusive"
SAYS_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
IS_VALUE, IS_SUBDOMAIN, IS_LABEL, IS_1035, IS_PART = (
    re.compile(one).fullmatch for one in (_VALUE, _SUBDOMAIN, _LABEL, _DNS_1035, _PART)
)
_IS_CONFIG, _IS_VARIABLE, IS_PERCENT = (
    re.compile(one).fullmatch for one in ("[-._a-zA-Z0-9]+", "[ -<>-~]+", "[0-9]+%")
)
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?").fullmatch
_FACTORS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def subdomain(text: str) -> list[str]:
    """
    >>> len(subdomain("a.b")), len(subdomain("A_b"))
    (0, 1)
    """
    return too_long(text, 253) + ([] if IS_SUBDOMAIN(text) else [_SAYS_SUBDOMAIN])


def label(text: str) -> list[str]:
    """As a container is named.

    >>> label("a-b"), label("a.b")
    ([], ['must not contain dots'])
    """
    if "." in text:
        return ["must not contain dots"]
    return too_long(text, 63) + ([] if IS_LABEL(text) else [_SAYS_LABEL])


def dns_1035(text: str) -> list[str]:
    """As a Service is named."""
    return too_long(text, 63) + ([] if IS_1035(text) else [_SAYS_1035])


def key(text: str) -> list[str]:
    """As labels, annotations and finalizers are named.

    >>> key("example.com/a"), key("/a")
    ([], ['prefix part must be non-empty'])
    """
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return [
            "a qualified " + _SAYS_KEY + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    wrong = []
    if slash and not prefix:
        wrong.append("prefix part must be non-empty")
    elif slash:
        wrong += [f"prefix part {one}" for one in subdomain(prefix)]
    wrong += ["name part must be non-empty"] if not name else [f"name part {one}" for one in too_long(name, 63)]
    return wrong + ([] if IS_PART(name) else [_SAYS_KEY])


def value(text: str) -> list[str]:
    """Of a label."""
    return too_long(text, 63) + ([] if IS_VALUE(text) else [_SAYS_VALUE])


def config_key(text: str) -> list[str]:
    """As a file in a ConfigMap is named.

    >>> config_key("a.txt"), config_key("..")
    ([], ["must not be '..'"])
    """
    if text in (".", "..") or text.startswith(".."):
        return [f"must not be '{text}'" if text in (".", "..") else "must not start with '..'"]
    return too_long(text, 253) + ([] if _IS_CONFIG(text) else [_SAYS_CONFIG])


def variable(text: str) -> list[str]:
    """Of an environment."""
    return [] if _IS_VARIABLE(text) else [_SAYS_VARIABLE]


def port_name(text: str) -> list[str]:
    """
    >>> port_name("web"), port_name("a--b"), port_name("123")
    ([], ['must not contain consecutive hyphens'], ['must contain at least one letter (a-z)'])
    """
    rules = (
        (re.fullmatch("[-a-z0-9]*", text), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
        (re.search("[a-z]", text), "must contain at least one letter (a-z)"),
        ("--" not in text, "must not contain consecutive hyphens"),
        (text[:1] != "-" and text[-1:] != "-", "must not begin or end with a hyphen"),
    )
    return too_long(text, 15) + [said for is_met, said in rules if not is_met]


def percent(text: str) -> list[str]:
    return [] if IS_PERCENT(text) else [_SAYS_PERCENT]


def too_long(text: str, longest: int) -> list[str]:
    return [f"must be no more than {longest} characters"] if len(text) > longest else []


def quantity(given: object) -> Decimal | None:
    """How much that is; None for what is no quantity.

    >>> quantity("1Gi"), quantity("500m"), quantity(0.5), quantity("abc"), quantity("1Zi")
    (Decimal('1073741824'), Decimal('0.500'), Decimal('0.5'), None, None)
    """
    found = _QUANTITY(str(given))
    if isinstance(given, bool) or not found:
        return None
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix.endswith("i"):
        return number * Decimal(1024) ** ("KMGTPE".index(suffix[0]) + 1)
    try:
        return number.scaleb(_FACTORS[suffix] if suffix in _FACTORS else int(suffix[1:]))
    except InvalidOperation:
        return None
