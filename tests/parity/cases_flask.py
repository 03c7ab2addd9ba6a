"""Flask, and what else speaks WSGI: served alone by gunicorn with threads."""

from parity.table import Ask, Case, Talk, Until, get, head, post, post_files, post_form


def flask(name, code, *asks, **more):
    files = {"served/web.py": code, **more.pop("files", {})}
    return Case(f"flask: {name}", "", asks, files=files, needs=("flask",), wsgi=True, **more)


HELLO = """
from flask import *
app = Flask(__name__)
"""

CASES = (
    flask(
        "blueprints, url_for and errors of their own",
        """
from flask import Blueprint, Flask, abort, request, url_for
shop = Blueprint("shop", __name__, url_prefix="/shop")
@shop.get("/<int:number>")
def item(number): return {"url": url_for("shop.item", number=number), "full": url_for(".item", number=1, _external=True), "root": request.root_path}
@shop.errorhandler(409)
def taken(error): return "taken", 409
@shop.get("/taken")
def fails(): abort(409)
app = Flask(__name__)
app.register_blueprint(shop)
@app.get("/dir/")
def directory(): return request.url + " " + request.script_root + " " + request.path
""",
        get("/shop/3"),
        get("/shop/x"),
        get("/shop/taken"),
        get("/dir"),
        get("/dir/?a=b"),
        post("/dir/"),
        head("/dir/"),
        Ask("OPTIONS", "/dir/"),
    ),
    flask(
        "sessions and flashed messages",
        HELLO
        + """
app.secret_key = "x"
@app.get("/")
def index():
    session["count"] = session.get("count", 0) + 1
    flash("hello")
    return [session["count"], *get_flashed_messages()]
""",
        get("/"),
        get("/"),
    ),
    flask(
        "templates, static files and its instance folder",
        HELLO
        + """
from pathlib import Path
@app.get("/")
def index(): return render_template("index.html", name="<b>")
@app.get("/where")
def where(): return [Path(app.root_path).name, Path(app.instance_path).name, app.name, app.import_name, app.logger.name]
""",
        get("/"),
        get("/static/a.css"),
        get("/static/../web.py"),
        get("/where"),
        files={
            "served/templates/index.html": "<p>{{ name }} {{ url_for('static', filename='a.css') }}</p>",
            "served/static/a.css": "p {}",
        },
    ),
    flask(
        "streams within a request's context, piece by piece",
        HELLO
        + """
import threading
GO = threading.Event()
@app.get("/stream")
def stream():
    def pieces():
        yield f"first of {request.path} "
        assert GO.wait(5)
        yield "second"
    return Response(stream_with_context(pieces()), mimetype="text/plain")
@app.get("/go")
def go(): GO.set(); return "gone"
""",
        Ask("GET", "/stream", then=(get("/go"),)),
    ),
    flask(
        "an endless stream whose client leaves is closed, again and again",
        HELLO
        + """
import time
OPEN, CLOSED = [], []
@app.get("/stream")
def stream():
    def pieces():
        OPEN.append(1)
        try:
            while True:
                yield b"x" * 100
                time.sleep(0.02)
        finally:
            CLOSED.append(1)
    return Response(pieces(), mimetype="text/plain")
@app.get("/")
def hello(): return f"open {len(OPEN)} closed {len(CLOSED)}."
""",
        Ask("GET", "/stream", leaves=True),
        Until("/", "closed 1."),
        Ask("GET", "/stream", leaves=True, times=45),
        Until("/", "closed 46."),
    ),
    flask(
        "forms, uploads and bodies without a length",
        HELLO
        + """
@app.post("/form")
def form(): return [request.form["name"], request.form.getlist("tag"), [(f.filename, len(f.read())) for f in request.files.getlist("docs")]]
@app.post("/body")
def body(): return [request.content_length, len(request.get_data()), request.headers.get("Transfer-Encoding")]
@app.post("/lines")
def lines(): return [line.decode() for line in request.stream]
@app.post("/json")
def json(): return request.get_json()
""",
        post_form("/form", "name=a&tag=1&tag=2"),
        post_files("/form", ("docs", "a.txt", "abc"), ("docs", "b.txt", "x" * 1_000_000), name="a"),
        Ask("POST", "/body", pieces=(b"one", b"two")),
        post("/body", b"x" * 3_000_000),
        Ask("POST", "/lines", pieces=(b"one\ntw", b"o\nthree")),
        Ask("POST", "/json", (("Content-Type", "application/json"),), b"{"),
        Ask("POST", "/json", (("Content-Type", "application/json"),), b'{"a": [1]}'),
    ),
    flask(
        "an upload waits to be told to come",
        HELLO + '@app.post("/")\ndef index(): return request.get_data()\n@app.post("/no")\ndef no(): abort(403)\n',
        Ask("POST", "/", body=b"a body", expects=True),
    ),
    flask(
        "files are sent whole and in ranges",
        HELLO
        + """
@app.get("/")
def index(): return send_file(app.root_path + "/file.bin", download_name="a.bin", as_attachment=True)
""",
        get("/"),
        get("/", range="bytes=5-9"),
        get("/", range="bytes=-3"),
        head("/"),
        files={"served/file.bin": bytes(range(256)) * 2000},
    ),
    flask(
        "an exception is a 500 and is logged, the next request is answered",
        HELLO
        + """
@app.get("/fails")
def fails(): raise LookupError("lost")
@app.get("/")
def index(): app.logger.warning("a warning line"); app.logger.info("an info line"); return "well"
@app.get("/stream")
def stream():
    def pieces(): yield "begun"; raise LookupError("within the answer")
    return Response(pieces())
""",
        get("/fails"),
        get("/"),
        get("/stream"),
        lines=("LookupError: lost", "a warning line", "an info line", "LookupError: within the answer"),
    ),
    flask(
        "what is to run after a request does, once",
        HELLO
        + """
def note(text):
    with open("notes.txt", "a") as file: file.write(text + "\\n")
@app.before_request
def before(): g.who = "acme"
@app.after_request
def after(response): response.headers["X-Who"] = g.who; return response
@app.teardown_request
def teardown(error): request.path.endswith("/ended") or note(f"teardown {error}")
@app.get("/")
def index():
    @after_this_request
    def one(response): response.set_cookie("a", "1", httponly=True); return response
    response = make_response("well")
    response.call_on_close(lambda: note("closed") or CLOSED.append(1))
    return response
CLOSED = []
@app.get("/ended")
def ended(): return f"{len(CLOSED)} closed"
@app.get("/fails")
def fails(): raise LookupError("lost")
""",
        get("/"),
        Until("/ended", "1 closed"),
        get("/fails"),
        get("/none"),
    ),
    flask(
        "forty requests at once have a thread each",
        HELLO
        + """
import threading
ALL = threading.Barrier(40)
@app.get("/")
def index(): ALL.wait(5); return "all there"
""",
        Ask("GET", "/", times=40),
    ),
    flask(
        "an exit in a request ends the request alone",
        HELLO + "import sys\n@app.get('/exit')\ndef leave(): sys.exit(3)\n@app.get('/')\ndef index(): return 'well'\n",
        get("/exit"),
        get("/"),
    ),
    flask("a WebSocket is not for it", HELLO + "@app.get('/')\ndef index(): return 'well'\n", Talk("/")),
    flask(
        "a view may be a coroutine",
        HELLO + "import asyncio\n@app.get('/')\nasync def index():\n    await asyncio.sleep(0)\n    return 'well'\n",
        get("/"),
    ),
)
