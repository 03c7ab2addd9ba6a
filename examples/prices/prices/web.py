"""GET /prices/<item>: what it costs now, in cents."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from arkwright.arklet.services import find, publish

CENTS = 1000
stock = find("stock", ">=1,<2")  # the base's


class Prices:
    """Offered to other modules, as long as this one is here."""

    def of(self, item: str) -> int:
        return CENTS * (2 if stock.count(item) < 5 else 1)


prices = Prices()
publish("prices", prices)


def price(request: Request) -> JSONResponse:
    item = request.path_params["item"]
    return JSONResponse({"item": item, "cents": prices.of(item)})


app = Starlette(routes=[Route("/{item}", price)])
