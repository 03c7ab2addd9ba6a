"""A Django base, in one file.  uvicorn django_base:app"""

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

import shop
from arkwright.arklet.app import Arklet
from arkwright.arklet.services import publish

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="only an example")
django.setup()


def name(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a Django base")


urlpatterns = [path("", name)]
publish("stock", shop.stock, version="1.2")
publish("database", shop.pool)
app = Arklet(get_asgi_application())
