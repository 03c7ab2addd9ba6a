"""What a case is made of. In: nothing. Out: frozen values."""

from dataclasses import dataclass, field

PROCESS, SHARED = "process", "shared"


@dataclass(frozen=True)
class Ask:
    """One HTTP request below the application's root. `pieces`: a chunked body. `trailers` behind it. `expects`: sends the body only after a
    100. `early`: reads the answer after the first piece, and sends no more. `leaves`: goes once the answer has begun to come.
    `then`: what is asked, on other connections, between the first piece of the answer and the rest. `times`: so many at once.
    """

    method: str
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    pieces: tuple[bytes, ...] = ()
    trailers: bytes = b""
    expects: bool = False
    early: bool = False
    leaves: bool = False
    then: tuple["Ask", ...] = ()
    times: int = 1

    def __str__(self):
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Talk:
    """One WebSocket: what is said, in turn with what is answered to each; then it is closed, with `code` and `reason` or by the server."""

    path: str
    says: tuple[str | bytes, ...] = ()
    hears_first: bool = False
    subprotocols: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    code: int | None = None
    reason: str = ""

    def __str__(self):
        return f"WEBSOCKET {self.path}"


@dataclass(frozen=True)
class Until:
    """Asks again until the answer has `text` in it; what is compared is whether it comes to that."""

    path: str
    text: str

    def __str__(self):
        return f"until {self.path} says {self.text}"


Step = Ask | Talk | Until


@dataclass(frozen=True)
class Case:
    """An application `served`, as the code of `served/web.py` or as `files`.

    `asks`: in this order, on one and the same process. `lines`: what is counted in the log. `target`: what is served. `needs`: its
    requirements. `beside`: packages that no base has, by name, each the parts of a wheel (`files`, `requires`, `entry_points`). `wsgi`: served alone by gunicorn.
    `is_factory`: what its target names makes the application. `settings`: what the base's settings say of it. `base`: code of the base, where the usual one will not do. `masks`: expressions; what matches
    is not compared. `rests`: it is looked whether something goes on after the uninstall.
    `isolations`: where it can be tried at all. `fails_first`: code of a version that does not start, installed before.
    """

    name: str
    web: str = ""
    asks: tuple[Step, ...] = ()
    files: dict[str, str | bytes] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    target: str = "served.web:app"
    is_factory: bool = False
    needs: tuple[str, ...] = ()
    beside: dict[str, dict] = field(default_factory=dict)
    wsgi: bool = False
    settings: dict[str, float] = field(default_factory=dict)
    base: str = ""
    masks: tuple[str, ...] = ()
    rests: bool = False
    isolations: tuple[str, ...] = (PROCESS, SHARED)
    fails_first: str = ""

    def __str__(self):
        return self.name

    @property
    def contents(self):
        """Path in its wheel -> text or bytes."""
        web = {"served/web.py": self.web} if self.web else {}
        return {"served/__init__.py": '"""x"""\n', **web, **self.files}


def get(path="/", **more):
    """A GET with these headers; `_` in their names is a hyphen."""
    return Ask("GET", path, _headers(more))


def head(path="/"):
    return Ask("HEAD", path)


def post(path="/", body=b"", **more):
    return Ask("POST", path, _headers(more), body.encode() if isinstance(body, str) else body)


def post_json(path, text):
    return post(path, text, content_type="application/json")


def post_form(path, text):
    return post(path, text, content_type="application/x-www-form-urlencoded")


def post_files(path, *files, **fields):
    """multipart/form-data; a file is (field, file name, content)."""
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    parts += [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: text/plain\r\n\r\n{text}\r\n'
        for name, file, text in files
    ]
    return post(path, "".join(parts) + "--cut--\r\n", content_type="multipart/form-data; boundary=cut")


def _headers(named):
    return tuple((name.replace("_", "-"), value) for name, value in named.items())
