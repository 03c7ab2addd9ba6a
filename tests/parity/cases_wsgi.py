"""WSGI as its specification has it, and frameworks besides Flask."""

from parity.table import Ask, Case, Until, get, head, post_form

CASES = (
    Case(
        "wsgi: the environment of a request",
        """
import json
NAMES = ("REQUEST_METHOD SCRIPT_NAME PATH_INFO QUERY_STRING CONTENT_TYPE CONTENT_LENGTH SERVER_PROTOCOL HTTP_HOST HTTP_X_A HTTP_COOKIE "
         "HTTP_X_BYTES HTTP_X_UNDER wsgi.url_scheme wsgi.multithread wsgi.run_once wsgi.input_terminated").split()
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json"), ("X-A", "1"), ("X-A", "2")])
    return [json.dumps({name: environ.get(name) for name in NAMES}).encode()]
""",
        (
            get("/caf%C3%A9/a%2Fb?c=d%20e"),
            get("/caf%E9"),
            Ask("GET", "", ()),
            Ask(
                "POST",
                "/",
                (("X-A", "1"), ("X-A", "2"), ("X_Under", "1"), ("X-Bytes", "caf\xe9"), ("Content-Type", "a/b")),
                b"abc",
            ),
        ),
        wsgi=True,
    ),
    Case(
        "wsgi: write, exc_info and close",
        """
import sys
CLOSED = []
class Body:
    def __init__(self, *pieces): self.pieces = pieces
    def __iter__(self): return iter(self.pieces)
    def close(self): CLOSED.append(1)
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/write":
        write = start_response("200 OK", [("Content-Type", "text/plain")]); write(b"one "); return [b"two"]
    if path == "/closed":
        start_response("200 OK", []); return [f"{len(CLOSED)} closed".encode()]
    if path == "/error":
        start_response("200 OK", [])
        try: raise LookupError("lost")
        except LookupError: start_response("503 Later", [("Retry-After", "1")], sys.exc_info())
        return [b"an error page"]
    if path == "/silent": return [b"x"]
    start_response("200 OK", [("Content-Type", "text/plain")]); return Body(b"a", b"", b"b")
""",
        (get("/write"), get("/"), head("/"), Until("/closed", "2 closed"), get("/error"), get("/silent")),
        wsgi=True,
        masks=(r'(?<="body": )"[^"]*Internal Server Error[^"]*"', r'(?<="content-type", )"text/[^"]*"'),
    ),
    Case(
        "bottle: routes, templates, errors",
        """
import bottle
app = bottle.Bottle()
@app.get("/<name>")
def hello(name): return bottle.template("<p>{{name}}</p>", name=name)
@app.get("/")
def index(): return {"url": bottle.request.url, "script": bottle.request.script_name}
@app.post("/")
def add(): return bottle.request.forms.get("a")
@app.get("/a/b")
def moved(): bottle.redirect("/served/")
""",
        (get("/<b>"), get("/"), post_form("/", "a=1"), get("/a/b"), get("/x/y/z")),
        needs=("bottle",),
        wsgi=True,
    ),
    Case(
        "falcon: resources and media, WSGI",
        """
import falcon
class Item:
    def on_get(self, request, response, number): response.media = {"number": number, "uri": request.uri, "prefix": request.prefix}
    def on_put(self, request, response, number): response.media = request.get_media(); response.status = 201
app = falcon.App()
app.add_route("/items/{number:int}", Item())
""",
        (
            get("/items/3"),
            get("/items/x"),
            Ask("PUT", "/items/3", (("Content-Type", "application/json"),), b'{"a": 1}'),
            Ask("DELETE", "/items/3"),
        ),
        needs=("falcon",),
        wsgi=True,
    ),
)
