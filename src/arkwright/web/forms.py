"""Forms as our pages send them: urlencoded, and no longer than they can be. In: a request. Out: its fields."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

MOST_BYTES, MOST_FIELDS = 1 << 20, 2000


class BadForm(Exception):
    """It is none of ours; the message says why."""


@dataclass(frozen=True)
class Form:
    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first of that name; "" for none."""
        return next((value for each, value in self.fields if each == name), "")

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.fields if each == name]


async def form_of(request: Request) -> Form:
    """Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise BadForm("this is no form")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise BadForm("this form is too long")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadForm("this form cannot be read") from error
    return Form(tuple(pairs))
