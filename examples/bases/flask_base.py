"""A Flask base: its WSGI application runs in threads.  uvicorn flask_base:app"""

from flask import Flask

import shop
from arkwright.arklet.app import Arklet
from arkwright.arklet.services import publish

flask = Flask(__name__)


@flask.get("/")
def name() -> str:
    return "a Flask base"


publish("stock", shop.stock, version="1.2")
publish("database", shop.pool)
app = Arklet(flask)
