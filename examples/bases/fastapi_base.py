"""A FastAPI (or Starlette) base.  uvicorn fastapi_base:app"""

from fastapi import FastAPI

import shop
from arkwright.arklet.app import Arklet
from arkwright.arklet.services import publish

api = FastAPI()


@api.get("/")
async def name() -> str:
    return "a FastAPI base"


publish("stock", shop.stock, version="1.2")
publish("database", shop.pool)
app = Arklet(api)
