"""Values become HTML. In: pages and pieces, a language. Out: text in which nothing that others wrote is markup, and nothing is unseen.

Every value is escaped, and shown as `plain` shows it; templates hold no script and no style.
"""

from collections.abc import Hashable
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from arkwright.model.text import plain
from arkwright.web.pieces import Difference, Page, Piece
from arkwright.web.words import translated

REMEMBERED_PIECES = 6_000


def _shown(value: Any) -> Any:
    """What others wrote does nothing to the page, nor to how it reads."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _readable(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("arkwright.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": _moment, "readable": _readable}
    return made


ENVIRONMENT = _environment()


def compile_templates() -> None:
    """All of them, which else the first who needs one waits for."""
    for name in ENVIRONMENT.list_templates():
        ENVIRONMENT.get_template(name)


@lru_cache(REMEMBERED_PIECES)
def piece_html(template: str, name: str, value: Hashable, language: str) -> str:
    """One element, whose id is the piece's name."""
    words = translated(language)
    found = ENVIRONMENT.get_template(f"pieces/{template}.html")
    return found.render(id=name, it=value, t=words).strip()


def page_html(page: Page, language: str, **around: Any) -> str:
    """The whole document. `around`: who looks, and what holds for all pages."""
    regions = {
        region.name: Markup("\n".join(_html(piece, language) for piece in region.pieces))  # noqa: S704 (made of pieces, which are escaped)
        for region in page.regions
    }
    template = ENVIRONMENT.get_template(f"{page.frame}.html")
    words = translated(language)
    return template.render(page=page, title=words(page.title), regions=regions, t=words, language=language, **around)


def template_html(template: str, language: str, **values: Any) -> str:
    """A page, or a part of one, that does not change by itself."""
    words = translated(language)
    return ENVIRONMENT.get_template(f"{template}.html").render(t=words, language=language, **values)


def difference_document(found: Difference, language: str) -> dict[str, Any]:
    """As the script takes it."""
    orders = {region.name: region.order for region in found.orders}
    pieces = {piece.name: _html(piece, language) for piece in found.changed}
    return {"orders": orders, "pieces": pieces}


def _html(piece: Piece, language: str) -> str:
    return piece_html(piece.template, piece.name, piece.value, language)
