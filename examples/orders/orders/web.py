"""POST /orders/<item>: orders one, and answers with the number of the order and its price."""

from flask import Flask

from arkwright.arklet.services import NoSuchService, find

app = Flask(__name__)
database, prices = find("database"), find("prices")

with database.connection() as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, item TEXT, cents INTEGER)")


@app.post("/<item>")
def order(item: str) -> dict[str, int]:
    cents = prices.of(item)
    with database.connection() as connection:
        added = connection.execute("INSERT INTO orders (item, cents) VALUES (?, ?)", (item, cents))
    return {"number": added.lastrowid or 0, "cents": cents}


@app.errorhandler(NoSuchService)
def not_now(error: NoSuchService) -> tuple[str, int]:
    return f"{error}\n", 503
