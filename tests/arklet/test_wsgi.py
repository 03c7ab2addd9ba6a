"""A WSGI application behind ASGI: PEP 3333 whole, both bodies a piece at a time, and clients that leave."""

import asyncio
import contextvars
import io
import threading
from wsgiref.validate import validator

import pytest

from arkwright.arklet.asgi.wsgi import ClientGone, WsgiAsAsgi

TEXT = [("Content-Type", "text/plain")]


class Request:
    """One request to an application: what it has received is in `sent`. `leave()`: the client goes."""

    def __init__(self, pieces=(b"",), **scope):
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "server": ("here", 8080),
            "client": ("127.0.0.1", 5),
        } | scope
        self.sent, self.taken, self._pieces = [], 0, list(pieces)
        self._has_left, self.has_begun = asyncio.Event(), asyncio.Event()

    async def receive(self):
        if self._pieces:
            self.taken += 1
            return {"type": "http.request", "body": self._pieces.pop(0), "more_body": bool(self._pieces)}
        await self._has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        self.has_begun.set()

    def leave(self):
        self._has_left.set()

    async def to(self, application, **more):
        await WsgiAsAsgi(application, **more)(self.scope, self.receive, self.send)
        return self

    @property
    def head(self):
        return self.sent[0]["status"], dict(self.sent[0]["headers"])

    @property
    def body(self):
        return b"".join(message["body"] for message in self.sent[1:])


def says(*pieces, status="200 OK", headers=TEXT):
    def application(environ, start_response):
        start_response(status, headers)
        return list(pieces)

    return application


async def environ_of(**scope):
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        return says()(environ, start_response)

    await Request(**scope).to(application)
    return seen


async def test_a_list_of_one_piece_goes_out_at_once_with_its_length():
    answer = await Request().to(says(b"hello"))
    assert answer.head == (200, {b"content-type": b"text/plain", b"content-length": b"5"})
    assert answer.sent[1:] == [{"type": "http.response.body", "body": b"hello"}]


async def test_an_application_passes_the_validator_of_the_standard_library():
    def application(environ, start_response):
        assert environ["wsgi.input"].read(3) == b"abc"
        start_response("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return iter([b"one", b"two"])

    request = Request([b"ab", b"cd"], headers=[(b"content-length", b"4")])
    request.scope["scheme"] = "http"
    answer = await request.to(validator(application))
    assert answer.body == b"onetwo"
    assert [value for name, value in answer.sent[0]["headers"] if name == b"set-cookie"] == [b"a=1", b"b=2"]


async def test_the_environment_is_the_peps():
    headers = [(b"content-type", b"a/b"), (b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    seen = await environ_of(path="/served/x", root_path="/served", query_string=b"a=%20", headers=headers)
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/served", "/x", "a=%20")
    assert (seen["HTTP_X_A"], seen["HTTP_COOKIE"], seen["CONTENT_TYPE"]) == ("1,2", "a=1; b=2", "a/b")
    assert (seen["REMOTE_ADDR"], seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("127.0.0.1", "here", "8080")
    assert (seen["SERVER_PROTOCOL"], seen["wsgi.url_scheme"]) == ("HTTP/1.1", "https")


@pytest.mark.parametrize(
    ("raw", "path", "seen"),
    [
        (b"/caf%C3%A9", "/caf\xe9", "/caf\xc3\xa9"),
        (b"/caf%E9", "/caf\ufffd", "/caf\xe9"),
        (None, "/caf\xe9", "/caf\xc3\xa9"),
    ],
    ids=["utf-8", "other bytes", "a server that does not tell"],
)
async def test_a_path_has_the_bytes_it_came_with(raw, path, seen):
    assert (await environ_of(raw_path=raw, path=path))["PATH_INFO"] == seen


async def test_a_header_with_an_underscore_cannot_pass_for_another():
    seen = await environ_of(headers=[(b"x_user", b"root"), (b"x-user", b"me")])
    assert seen["HTTP_X_USER"] == "me"


async def test_a_body_without_a_length_arrives_and_is_pulled_only_as_it_is_read():
    taken = []

    def application(environ, start_response):
        taken.append(request.taken)
        first = environ["wsgi.input"].read(3)
        taken.append(request.taken)
        return says(first + b"|" + environ["wsgi.input"].read())(environ, start_response)

    request = Request([b"ab", b"cd", b"ef"])
    assert (await request.to(application)).body == b"abc|def" and taken == [0, 2]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_the_input_reads_as_a_file_does_wherever_its_pieces_end(size):
    content = b"one\ntwo\n\nthree\nlast" * 3
    ways = [
        lambda file: file.readlines(),
        lambda file: list(file),
        lambda file: [file.readline(2), file.readline(), file.readline(100), file.read(4), file.read(0), file.read()],
        lambda file: [file.readlines(5), file.read(None), file.readline(), file.read(), file.read(5)],
    ]
    for way in ways:

        def application(environ, start_response, way=way):
            return says(repr(way(environ["wsgi.input"])).encode())(environ, start_response)

        pieces = [content[i : i + size] for i in range(0, len(content), size)]
        assert (await Request(pieces).to(application)).body.decode() == repr(way(io.BytesIO(content)))


async def test_a_client_that_leaves_while_it_sends_is_an_error_of_reading():
    raised = []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            raised.append(type(error))
        return says(b"late")(environ, start_response)

    request = Request([b"a"])
    request._pieces = []
    request.leave()
    await request.to(application)
    assert raised == [ClientGone]


def endless(ended):
    def application(environ, start_response):
        start_response("200 OK", TEXT)
        try:
            while True:
                yield b"x"
        finally:
            ended.set()

    return application


async def test_a_stream_whose_client_leaves_is_closed():
    ended, request = threading.Event(), Request()
    serving = asyncio.create_task(request.to(endless(ended)))
    await request.has_begun.wait()
    request.leave()
    await asyncio.wait_for(serving, 5)
    assert ended.is_set()


async def test_a_stream_whose_request_is_cancelled_is_closed():
    ended, request = threading.Event(), Request()
    serving = asyncio.create_task(request.to(endless(ended)))
    await request.has_begun.wait()
    serving.cancel()
    assert await asyncio.to_thread(ended.wait, 5)
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_a_server_that_cannot_send_any_more_ends_the_stream():
    ended, request = threading.Event(), Request()

    async def send(message):
        raise OSError("gone")

    request.send = send
    await asyncio.wait_for(request.to(endless(ended)), 5)
    assert ended.is_set()


async def test_streams_that_are_left_take_no_threads_with_them():
    application = WsgiAsAsgi(endless(threading.Event()), threads=2)
    for _ in range(5):
        request = Request()
        serving = asyncio.create_task(application(request.scope, request.receive, request.send))
        await asyncio.wait_for(request.has_begun.wait(), 5)
        request.leave()
        await asyncio.wait_for(serving, 5)


async def test_a_stream_can_be_answered_while_it_is_read():
    def application(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"begun|"
        for line in environ["wsgi.input"]:
            yield line.upper()

    assert (await Request([b"a\n", b"b", b"\nc"]).to(application)).body == b"begun|A\nB\nC"


async def test_no_piece_is_made_before_the_last_one_is_out():
    made, out = [], []

    def application(environ, start_response):
        start_response("200 OK", TEXT)
        for number in range(5):
            made.append(number)
            yield b"x"

    request = Request()

    async def send(message):
        await asyncio.sleep(0)
        out.append(len(made))

    request.send = send
    await request.to(application)
    assert out == [1, 1, 2, 3, 4, 5, 5]  # the head, five pieces, the end


async def test_a_whole_body_goes_out_before_its_application_has_tidied_up():
    out, tidy = threading.Event(), []

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "1")])
        yield b"x"
        tidy.append(out.wait(5))

    request = Request()

    async def send(message):
        if message["type"] == "http.response.body":
            assert message["more_body"] is False
            out.set()

    request.send = send
    await request.to(application)
    assert tidy == [True]


async def test_write_and_the_body_come_in_order():
    def application(environ, start_response):
        write = start_response("200 OK", TEXT)
        write(b"first ")
        write(b"second ")
        return [b"third"]

    assert (await Request().to(application)).body == b"first second third"


async def test_a_head_request_has_a_head_alone_and_no_endless_body():
    ended = threading.Event()
    answer = await Request(method="HEAD").to(endless(ended))
    assert answer.body == b"" and ended.is_set()
    answer = await Request(method="HEAD").to(says(b"hello"))
    assert answer.body == b"" and answer.head[1][b"content-length"] == b"5"


async def test_a_response_ends_at_its_content_length():
    answer = await Request().to(
        lambda environ, start: iter(says(b"abc", b"def", headers=[("Content-Length", "4")])(environ, start))
    )
    assert answer.body == b"abcd" and answer.sent[-1]["more_body"] is False


async def test_an_error_before_the_head_can_be_answered_by_the_application_and_after_it_not():
    def application(environ, start_response):
        start_response("200 OK", TEXT)
        if environ["QUERY_STRING"]:
            yield b"begun"
        try:
            raise LookupError("lost")
        except LookupError:
            import sys

            start_response("500 Lost", TEXT, sys.exc_info())
        yield b"an error page"

    assert (await Request().to(application)).head[0] == 500
    with pytest.raises(LookupError, match="lost"):
        await Request(query_string=b"late").to(application)


@pytest.mark.parametrize(
    ("application", "error"),
    [
        (lambda environ, start_response: [b"x"], AssertionError),
        (lambda environ, start_response: [], AssertionError),
        (lambda environ, start_response: 1 / 0, ZeroDivisionError),
        (
            lambda environ, start_response: (says()(environ, start_response), says()(environ, start_response)),
            AssertionError,
        ),
        (lambda environ, start_response: exit(3), RuntimeError),
        (says(headers=[("X", "a\r\nSet-Cookie: b=1")]), ValueError),
    ],
    ids=["no start", "no start, no body", "an exception", "two starts", "an exit", "two headers in one"],
)
async def test_what_goes_wrong_in_the_application_is_raised_to_the_server(application, error):
    with pytest.raises(error):
        await Request().to(application)


async def test_close_is_called_when_all_is_said_and_when_the_application_fails():
    class Body:
        closed = 0

        def __iter__(self):
            yield b"x"
            raise LookupError("lost")

        def close(self):
            Body.closed += 1

    def application(environ, start_response):
        start_response("200 OK", TEXT)
        return Body()

    with pytest.raises(LookupError):
        await Request().to(application)
    assert Body.closed == 1


async def test_a_file_is_read_in_large_pieces(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 200_000)

    def application(environ, start_response):
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"]((tmp_path / "file").open("rb"), 100)

    answer = await Request().to(application)
    assert len(answer.body) == 200_000 and len(answer.sent) < 10


async def test_the_requests_context_is_the_threads():
    name = contextvars.ContextVar("name")
    name.set("acme")
    assert (await Request().to(lambda *call: says(name.get().encode())(*call))).body == b"acme"


async def test_more_requests_than_threads_wait_for_one():
    at_once, most, lock = [], [], threading.Lock()

    def application(environ, start_response):
        with lock:
            at_once.append(1)
            most.append(len(at_once))
        answer = says(b"x")(environ, start_response)
        with lock:
            at_once.pop()
        return answer

    served = WsgiAsAsgi(application, threads=2)
    requests = [Request() for _ in range(20)]
    await asyncio.gather(*(served(one.scope, one.receive, one.send) for one in requests))
    assert max(most) <= 2 and all(one.body == b"x" for one in requests)


async def test_its_threads_end_when_it_is_told_to():
    named = []

    def application(environ, start_response):
        named.append(threading.current_thread())
        return says()(environ, start_response)

    served, request = WsgiAsAsgi(application), Request()
    await served(request.scope, request.receive, request.send)
    served.end()
    await asyncio.to_thread(named[0].join, 5)
    assert not named[0].is_alive()


async def test_a_websocket_is_refused_with_what_the_application_says_to_its_handshake():
    request = Request(type="websocket", scheme="wss", extensions={"websocket.http.response": {}})
    del request.scope["method"]
    await request.to(lambda environ, start: says(environ["wsgi.url_scheme"].encode(), status="426 No")(environ, start))
    start, body = request.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 426)
    assert (body["type"], body["body"]) == ("websocket.http.response.body", b"https")


async def test_a_websocket_is_refused_and_a_lifespan_is_not_known():
    request = Request(type="websocket")
    await request.to(says())
    assert [(one["type"], one["code"]) for one in request.sent] == [("websocket.close", 1003)]
    with pytest.raises(NotImplementedError):
        await Request(type="lifespan").to(says())
