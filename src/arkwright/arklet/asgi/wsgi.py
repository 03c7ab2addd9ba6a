"""Makes ASGI of a WSGI application. In: the application, how many threads it may have. Out: an ASGI one.

A request has one thread from its start to its `close()`, and the coroutine of its ASGI call serves that thread: it receives where the
thread reads, and sends where it yields, a piece at a time, so that a body of any length holds one piece in memory. Where the client has
gone, or the call is cancelled, the thread is told when it asks next. Not done here: the environment (`environ`), telling WSGI
applications from others (`applications`). Light: every process of a module has it loaded.
"""

import asyncio
import contextlib
import contextvars
import logging
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Any
from wsgiref.util import FileWrapper

from arkwright.arklet.asgi.environ import Environ, Input, environ_of
from arkwright.arklet.asgi.threads import Threads
from arkwright.arklet.asgi.words import Message, Receive, Scope, Send

log = logging.getLogger(__name__)
THREADS = 40
FILE_BYTES = 1 << 16  # what a file is read by, where its application wants less
WEBSOCKET_ANSWER = "websocket.http.response"  # the extension by which a handshake is answered like a request
HTTP_SCHEMES = {"ws": "http", "wss": "https"}
UNSUPPORTED_DATA = 1003  # close code of a WebSocket, as IANA lists it
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class ClientGone(OSError):
    """What reads or writes learns that nobody is there any more. Frameworks know OSError as that."""


class WsgiAsAsgi:
    """ASGI: calls a WSGI application in threads of its own, `threads` at most; more requests wait for one."""

    def __init__(self, application: Wsgi, threads: int = THREADS) -> None:
        self._application, self._threads = application, Threads(threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Call(self._application, scope, receive, send).run(self._threads)
        elif scope["type"] == "websocket":
            await self._refuse(scope, receive, send)
        else:  # as an application says that it does not know the protocol
            raise NotImplementedError(f"a WSGI application has no {scope['type']}")

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the application says to the handshake, which to it is a GET, is why: as with a server of WSGI alone."""
        if WEBSOCKET_ANSWER not in (scope.get("extensions") or {}):
            await receive()
            said = "a WSGI application has no WebSockets"
            await send({"type": "websocket.close", "code": UNSUPPORTED_DATA, "reason": said})
            return

        async def received() -> Message:
            if (await receive())["type"] == "websocket.connect":
                return {"type": "http.request"}
            return {"type": "http.disconnect"}

        async def sent(message: Message) -> None:
            await send({**message, "type": f"websocket.{message['type']}"})

        told = {**scope, "type": "http", "method": "GET", "scheme": HTTP_SCHEMES.get(scope["scheme"], "http")}
        await _Call(self._application, told, received, sent).run(self._threads)

    def end(self) -> None:
        """Its threads end, each after the request that it has. There are to be no requests any more."""
        self._threads.end()


class _Sending:
    """What a thread asks: these events. `is_awaited`: it wants to know when they have gone out, for there is more to come."""

    def __init__(self, *events: Message, is_awaited: bool = False) -> None:
        self.events, self.is_awaited = events, is_awaited


class _Ending:
    """What a thread says last: it has done with this request; what it failed with."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


READING = object()  # what a thread asks: the next piece of the body
GONE = object()  # what it is answered where nobody is there any more


class _Call:
    """One request: its event loop's side, on which the thread's side (`_Answer`) can ask."""

    def __init__(self, application: Wsgi, scope: Scope, receive: Receive, send: Send) -> None:
        self._application, self.scope, self._receive, self._send = application, scope, receive, send
        self._loop = asyncio.get_running_loop()
        self._asked: deque[Any] = deque()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._is_woken, self._waiter = False, self._loop.create_future()
        self._unread: asyncio.Queue[Message] = asyncio.Queue(1)  # what the watch has received
        self._watch: asyncio.Task[None] | None = None
        self._has_gone = self._is_over = False

    async def run(self, threads: Threads) -> None:
        """Until the thread has ended. Raises what the application does."""
        context = contextvars.copy_context()
        threads.do(partial(context.run, self._work))
        try:
            while not isinstance(asked := await self._next(), _Ending):
                answer = await self._done(asked)
                if asked is READING or asked.is_awaited:
                    self._answers.put(answer)
            if asked.error is not None:
                raise asked.error
        finally:
            asked = None  # else an error would hold itself
            self._has_gone = self._is_over = True
            self._answers.put(GONE)
            if self._watch is not None:
                self._watch.cancel()

    async def _next(self) -> Any:
        while not self._asked:
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._asked.popleft()

    async def _done(self, asked: Any) -> Any:
        """What comes of it."""
        if asked is READING:
            return await self._receive_body()
        try:
            for event in asked.events:
                await self._send(event)
        except OSError:  # how servers may say so since ASGI 2.4
            self._has_gone = True
        if asked.is_awaited and self._watch is None:
            self._watch = asyncio.create_task(self._watch_client(), name="watching a client")
        return GONE if self._has_gone else None

    async def _receive_body(self) -> Any:
        message = await (self._unread.get() if self._watch is not None else self._receive())
        if message["type"] == "http.disconnect":
            self._has_gone = True
            return GONE
        return message.get("body", b""), message.get("more_body", False)

    async def _watch_client(self) -> None:
        """While a response streams, its generator may wait for long: whether its client is there is heard meanwhile."""
        while (message := await self._receive())["type"] != "http.disconnect":
            await self._unread.put(message)
        self._has_gone = True
        await self._unread.put(message)

    # The thread's side from here on.

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            if not self._has_gone:
                _Answer(self).produce(self._application)
        except ClientGone:
            pass
        except Exception as failed:
            error = failed
        except BaseException as exits:  # SystemExit would end the event loop: that is not a request's to do
            error = RuntimeError(f"the application wanted to exit in a request: {exits!r}")
            error.__cause__ = exits
        if error is not None and self._is_over:
            log.error("a request that was given up failed", exc_info=error)
        self.tell(_Ending(error))
        del error

    def ask(self, what: Any) -> Any:
        """The loop's answer to it. Raises ClientGone."""
        if not self._has_gone:
            self.tell(what)
            if (answer := self._answers.get()) is not GONE:
                return answer
        raise ClientGone("the client has gone")

    def tell(self, what: Any) -> None:
        """Nobody waits for an answer. Wakes the loop once for all that is told before it looks."""
        self.prepare(what)
        if not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self._wake)

    def prepare(self, what: Any) -> None:
        """Told with the next that is."""
        self._asked.append(what)

    def _wake(self) -> None:
        self._is_woken = False  # before the loop looks: what is told after that wakes it again
        if not self._waiter.done():
            self._waiter.set_result(None)


class _Answer:
    """What the application makes of one request, in its thread: PEP 3333, from `start_response` to `close()`."""

    def __init__(self, call: _Call) -> None:
        self._call = call
        self._is_head = call.scope["method"] == "HEAD"
        self._start: Message | None = None
        self._is_started = self._is_complete = False
        self._left: int | None = None  # bytes of the Content-Length that are still to come

    def produce(self, application: Wsgi) -> None:
        read = Input(partial(self._call.ask, READING))
        body = application(environ_of(self._call.scope, read), self.start_response)
        try:
            if type(body) in (list, tuple) and len(body) <= 1 and not self._is_started:  # type: ignore[arg-type]
                self._send_whole(b"".join(body))
            else:
                self._send_pieces(body)
        finally:
            if hasattr(body, "close"):
                body.close()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Any:
        if exc_info is not None and self._is_started:
            try:
                raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # else its frames would hold themselves
        if exc_info is None and self._start is not None:
            raise AssertionError("start_response has been called before, and this call has no exc_info")
        encoded = [(_encoded(name).lower(), _encoded(value.strip())) for name, value in headers]
        self._left = next((int(value) for name, value in encoded if name == b"content-length"), None)
        self._start = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}
        return self.write

    def write(self, piece: bytes) -> None:
        """It is out when this returns; the last one of a Content-Length may be a little later."""
        if not piece or self._is_complete:
            return
        if self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
        self._is_complete = self._is_head or self._left == 0
        sent = b"" if self._is_head else piece
        event = {"type": "http.response.body", "body": sent, "more_body": not self._is_complete}
        if self._is_complete:
            self._call.tell(_Sending(*self._head(), event))
        else:
            self._call.ask(_Sending(*self._head(), event, is_awaited=True))

    def _send_whole(self, body: bytes) -> None:
        """The common case: head and body go out together, with the end of the call."""
        (start,) = self._head()
        if self._left is None and start["status"] >= 200 and start["status"] not in (204, 304):
            start["headers"].append((b"content-length", b"%d" % len(body)))
        event = {"type": "http.response.body", "body": b"" if self._is_head else body[: self._left]}
        self._call.prepare(_Sending(start, event))

    def _send_pieces(self, body: Iterable[bytes]) -> None:
        """Beyond the Content-Length, as for HEAD, the application is asked for no more; up to it, until it ends by itself."""
        if isinstance(body, FileWrapper):
            body.blksize = max(body.blksize, FILE_BYTES)
        for piece in body:
            if piece and self._is_complete:
                return
            self.write(piece)
            if self._is_head and self._is_complete:
                return
        if not self._is_complete:
            self._is_complete = True
            self._call.tell(_Sending(*self._head(), {"type": "http.response.body", "body": b""}))

    def _head(self) -> tuple[Message, ...]:
        """Nothing if it has gone out before."""
        if self._is_started:
            return ()
        if self._start is None:
            raise AssertionError("the application has answered without a call of start_response")
        self._is_started = True
        return (self._start,)


def _encoded(text: str) -> bytes:
    """A header's name or value. Raises ValueError where it would be more than one."""
    if "\n" in text or "\r" in text:
        raise ValueError(f"a header must not have a line break: {text!r}")
    return text.encode("latin-1")
