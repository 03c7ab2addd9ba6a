"""Names of our objects as people and kubectl write them, with their kind or without it. In: words. Out: kinds and names. Pure."""

from arkwright.cli.output import fail
from arkwright.model.names import GROUP
from arkwright.model.resources import RESOURCES, Kind

SHORT = {Kind.MODULE_DEPLOYMENT: "mddeploy", Kind.MODULE: "md"}
WORDS = {
    word: kind
    for kind, short in SHORT.items()
    for plural in (RESOURCES[kind].plural,)
    for word in (short, kind.lower(), plural, f"{kind.lower()}.{GROUP}", f"{plural}.{GROUP}")
}


def with_kind(name: str) -> tuple[Kind | None, str]:
    """None where none is said, or one of which there are no names here.

    >>> with_kind("mddeploy/demo"), with_kind("modules.serverless.alipay.com/one"), with_kind("demo")
    ((<Kind.MODULE_DEPLOYMENT: 'ModuleDeployment'>, 'demo'), (<Kind.MODULE: 'Module'>, 'one'), (None, 'demo'))
    """
    kind, _, bare = name.rpartition("/")
    return WORDS.get(kind.lower()), bare


def bare_name(name: str) -> str:
    """That of a ModuleDeployment alone, of `mddeploy/demo` as well."""
    kind, bare = with_kind(name)
    if "/" in name and kind is not Kind.MODULE_DEPLOYMENT:
        said = name.rpartition("/")[0]
        fail(f"{said} is decided about elsewhere", f"the name of a ModuleDeployment, as {bare} or mddeploy/{bare}")
    return bare
