"""Django, Litestar, Quart and others, each as its own documentation has it."""

from parity.table import Ask, Case, Talk, get, head, post_files, post_form, post_json

DJANGO_SETTINGS = """
from pathlib import Path
DEBUG = False
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "served.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.messages",
                  "django.contrib.staticfiles", "served.shop"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "whitenoise.middleware.WhiteNoiseMiddleware",
              "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
              "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "DIRS": []}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path.cwd() / "shop.sqlite3"}}
STATIC_URL = "static/"
STATIC_ROOT = Path(__file__).parent / "collected"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""
DJANGO_WEB = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "served.settings")
from django.core.KIND import get_KIND_application
app = get_KIND_application()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
DJANGO_FILES = {
    "served/settings.py": DJANGO_SETTINGS,
    "served/urls.py": """
from django.urls import path
from served.shop import views
urlpatterns = [path("", views.index, name="index"), path("add/", views.add), path("items/<int:number>/", views.item, name="item"),
               path("fails/", views.fails), path("upload/", views.upload), path("later/", views.later), path("page/", views.page)]
""",
    "served/shop/__init__.py": "",
    "served/shop/apps.py": 'from django.apps import AppConfig\nclass Shop(AppConfig):\n    name = "served.shop"\n    label = "shop"\n',
    "served/shop/models.py": """
from django.db import models
class Item(models.Model):
    name = models.CharField(max_length=20, unique=True)
""",
    "served/shop/migrations/__init__.py": "",
    "served/shop/migrations/0001_initial.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=20, unique=True))])]
""",
    "served/shop/migrations/0002_first.py": """
from django.db import migrations
def fill(apps, schema_editor): apps.get_model("shop", "Item").objects.create(name="umbrella")
class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(fill)]
""",
    "served/shop/templates/page.html": "{% load static %}<p>{{ name }} {% url 'item' 3 %} {% static 'a.css' %}</p>",
    "served/shop/views.py": """
import asyncio
from django.http import JsonResponse, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from served.shop.models import Item
def index(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return JsonResponse({"items": sorted(Item.objects.values_list("name", flat=True)), "count": request.session["count"],
                         "path": request.path, "info": request.path_info, "uri": request.build_absolute_uri()})
def add(request): return HttpResponse("never: it has no token")
def item(request, number): return redirect("index")
def fails(request): raise LookupError("lost")
@csrf_exempt
def upload(request): return JsonResponse([request.POST["a"], request.FILES["doc"].name, request.FILES["doc"].size], safe=False)
async def later(request): await asyncio.sleep(0.01); return HttpResponse("later")
def page(request): return render(request, "page.html", {"name": "<b>"})
""",
    "served/collected/a.css": "p {}",
}
DJANGO_ASKS = (
    get("/"),
    get("/"),
    get("/static/a.css"),
    get("/static/b.css"),
    post_form("/add/", "a=1"),
    get("/items/3/"),
    get("/items/3"),
    post_files("/upload/", ("doc", "a.txt", "x" * 3_000_000), a="1"),
    get("/later/"),
    get("/page/"),
    get("/fails/"),
    head("/"),
    get("/none/"),
)


def _django(kind):
    return Case(
        f"django: settings, migrations, static files and sessions of its own, {kind}",
        files={"served/web.py": DJANGO_WEB.replace("KIND", kind), **DJANGO_FILES},
        asks=DJANGO_ASKS,
        lines=("LookupError: lost",),
        needs=("django", "whitenoise"),
        wsgi=kind == "wsgi",
        masks=(r"csrftoken=\w+", r"sessionid=\w+"),
    )


CASES = (
    _django("wsgi"),
    _django("asgi"),
    Case(
        "litestar: controllers, dependencies, DTOs, errors and its schema",
        """
from dataclasses import dataclass
from litestar import Controller, Litestar, Request, get, post, websocket
from litestar.di import Provide
from litestar.exceptions import NotFoundException
@dataclass
class Item:
    name: str
    price: float
async def stock(): return {"umbrella": 3}
class Shop(Controller):
    path = "/items"
    @get("/{name:str}")
    async def one(self, name: str, stock: dict) -> dict:
        if name not in stock: raise NotFoundException(f"no {name}")
        return {name: stock[name]}
    @post("/")
    async def add(self, data: Item) -> Item: return data
@get("/url")
async def url(request: Request) -> list: return [str(request.url), str(request.base_url), request.scope["root_path"]]
@websocket("/talk")
async def talk(socket) -> None:
    await socket.accept(); await socket.send_json({"said": await socket.receive_text()}); await socket.close(4001)
app = Litestar([Shop, url, talk], dependencies={"stock": Provide(stock)})
""",
        (
            get("/items/umbrella"),
            get("/items/none"),
            post_json("/items/", '{"name": "a", "price": 1}'),
            post_json("/items/", '{"name": "a"}'),
            get("/url"),
            get("/schema/openapi.json"),
            Talk("/talk", ("hello",)),
        ),
        needs=("litestar",),
    ),
    Case(
        "quart: templates, sessions, streams, WebSockets and background tasks",
        files={
            "served/web.py": """
import asyncio
from quart import Quart, Response, render_template, request, session, url_for, websocket
app = Quart(__name__)
app.secret_key = "x"
@app.before_serving
async def up():
    with open("notes.txt", "a") as file: file.write("up\\n")
@app.after_serving
async def down():
    with open("notes.txt", "a") as file: file.write("down\\n")
@app.get("/")
async def index():
    session["count"] = session.get("count", 0) + 1
    return {"count": session["count"], "url": url_for("page"), "root": request.root_path, "path": request.path}
@app.get("/page")
async def page(): return await render_template("page.html", name="<b>")
@app.post("/")
async def add(): return {"form": dict(await request.form), "files": list(await request.files)}
@app.get("/stream")
async def stream():
    async def pieces():
        for number in range(3): yield str(number)
    return Response(pieces())
@app.get("/task")
async def task():
    async def work():
        await asyncio.sleep(0.3)
        with open("notes.txt", "a") as file: file.write("work done\\n")
    app.add_background_task(work)
    return "accepted"
@app.websocket("/talk")
async def talk(): await websocket.send("said " + await websocket.receive()); await websocket.close(4002, "enough")
""",
            "served/templates/page.html": "<p>{{ name }}</p>",
        },
        asks=(
            get("/"),
            get("/"),
            get("/page"),
            post_form("/", "a=1"),
            get("/stream"),
            get("/task"),
            Talk("/talk", ("hello",)),
            get("/none"),
        ),
        needs=("quart",),
    ),
    Case(
        "falcon: resources and media, ASGI",
        """
import falcon.asgi
class Item:
    async def on_get(self, request, response, number): response.media = {"number": number, "uri": request.uri, "prefix": request.prefix}
    async def on_post(self, request, response, number): response.media = await request.get_media()
    async def on_websocket(self, request, socket, number):
        await socket.accept(); await socket.send_text(await socket.receive_text()); await socket.close(4000)
app = falcon.asgi.App()
app.add_route("/items/{number:int}", Item())
""",
        (
            get("/items/3"),
            get("/items/x"),
            post_json("/items/3", '{"a": 1}'),
            post_json("/items/3", "{"),
            Talk("/items/3", ("a",)),
        ),
        needs=("falcon",),
    ),
    Case(
        "starlette: middleware without a framework's classes, mounts and an exception handler",
        """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
class Stamp:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send):
        async def stamped(message):
            if message["type"] == "http.response.start": message["headers"].append((b"x-stamp", scope["root_path"].encode()))
            await send(message)
        await self.app(scope, receive, stamped if scope["type"] == "http" else send)
async def index(request): return PlainTextResponse("x" * 2000)
async def where(request): return JSONResponse([request.scope["root_path"], request.url.path, str(request.url_for("index"))])
async def fails(request): raise LookupError("lost")
async def lost(request, error): return JSONResponse({"lost": str(error)}, 410)
app = Starlette(routes=[Route("/", index, name="index"), Mount("/inner", routes=[Route("/where", where)]), Route("/fails", fails)],
                middleware=[Middleware(Stamp), Middleware(GZipMiddleware)], exception_handlers={LookupError: lost})
""",
        (get("/"), get("/", accept_encoding="gzip"), get("/inner/where"), get("/fails"), Ask("TRACE", "/")),
        needs=("starlette",),
    ),
)
