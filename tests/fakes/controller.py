"""A controller's port, as the dashboard knows it: GET /agents/NAMESPACE/POD. In: views, by namespace and pod. Out: JSON over real HTTP, from a thread."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec


class FakeController:
    """`view_of`: (namespace, pod) -> AgentView, bytes that are none, or None. `asked`: all that was asked for. Use as a context manager."""

    def __init__(self, view_of, address="127.0.0.1", port=0):
        self.view_of, self.asked, self.status = view_of, [], 200
        self._server = ThreadingHTTPServer((address, port), _answering(self))
        self._server.daemon_threads = True
        self.url = f"http://{address}:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path):
        _, what, namespace, pod = path.split("/")
        self.asked.append((namespace, pod))
        view = self.view_of(namespace, pod) if what == "agents" else None
        if view is None:
            return 404, b"no such pod\n"
        return self.status, view if isinstance(view, bytes) else msgspec.json.encode(view)


def _answering(controller):
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 (the library's name)
            status, body = controller.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Answering
