"""What can go wrong with the Kubernetes API, and with the files that say how to call others.

    ClientError
    ├── ApiUnreachable      no answer: refused, reset, timed out, wrong certificate
    ├── ApiRefused          an answer that says no; carries `status` and the server's own message
    │   ├── NotFound        404
    │   ├── Conflict        409: somebody else wrote first, or the name is taken
    │   ├── Gone            410: the watch's resourceVersion is too old; list anew
    │   ├── Forbidden       401, 403
    │   └── TooManyRequests 429: the server has enough to do; carries how many seconds it asks to wait
    ├── NoAnswer            a controller that was asked what an agent tells: no answer, or none that could be one
    ├── NotOurs             nothing was sent: another controller may be the one that acts by now
    ├── BadCredentials      no usable kubeconfig or in-cluster account
    └── BadAccess           a file that agents are called with cannot be used

Agents raise nothing: what comes of a call to one is an Outcome.
"""


class ClientError(Exception):
    """Root of the tree."""


class ApiUnreachable(ClientError):
    """No answer from the API server."""


class NoAnswer(ClientError):
    """No answer from a controller, or none that could be one."""


class NotOurs(ClientError):
    """Whoever wanted to write may not act any more."""


class BadCredentials(ClientError):
    """Who to talk to, or as whom, cannot be found out."""


class BadAccess(ClientError):
    """A token, certificate or key for agents cannot be read; the message names the file."""


class ApiRefused(ClientError):
    """`status` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFound(ApiRefused):
    """404."""


class Conflict(ApiRefused):
    """409."""


class Gone(ApiRefused):
    """410."""


class TooManyRequests(ApiRefused):
    """429; `retry_after`: seconds that the server asks to wait."""

    retry_after = 1.0


class Forbidden(ApiRefused):
    """401 and 403."""


BY_STATUS: dict[int, type[ApiRefused]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    429: TooManyRequests,
}


def refusal(status: int, message: str) -> ApiRefused:
    """The error that fits an HTTP status."""
    return BY_STATUS.get(status, ApiRefused)(message, status)
