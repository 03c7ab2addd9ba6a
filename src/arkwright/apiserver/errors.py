"""What is answered instead of an object: Kubernetes' Status documents, worded as Kubernetes words them.

ApiError
├─ BadRequest 400          ├─ Conflict 409                ├─ Invalid 422
├─ Unauthorized 401        ├─ AlreadyExists 409           ├─ TooManyRequests 429
├─ Forbidden 403           ├─ Expired 410                 ├─ InternalError 500
├─ NotFound 404            ├─ TooLarge 413                ├─ ServiceUnavailable 503
├─ MethodNotAllowed 405    ├─ UnsupportedMediaType 415    ├─ Timeout 504
└─ NotAcceptable 406                                      └─ NoSuchPath 404, as plain text
"""

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


class ApiError(Exception):
    """`details`: which object it is about; None where there is nothing to tell. `reason`: "" for none."""

    code = 500
    reason = ""

    def __init__(self, message: str, details: Document | None = None) -> None:
        super().__init__(message)
        self.message, self.details = message, details

    def document(self) -> Document:
        """A v1 Status."""
        status: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        status |= {"reason": self.reason} if self.reason else {}
        status |= {"details": self.details} if self.details is not None else {}
        return status | {"code": self.code}


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class Conflict(ApiError):
    code, reason = 409, "Conflict"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"


class Expired(ApiError):
    code, reason = 410, "Expired"


class TooLarge(ApiError):
    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"


class ServiceUnavailable(ApiError):
    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    code, reason = 504, "Timeout"


class NoSuchPath(ApiError):
    """Told as plain text, for it is about no kind at all."""

    code = 404


class InternalError(ApiError):
    reason = "InternalError"


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field. `path`: as in `spec.ports[0].name`; `reason`: as in `FieldValueRequired`."""

    path: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


REQUIRED, INVALID, NOT_SUPPORTED = "FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported"
TYPE_INVALID, TOO_LONG, TOO_MANY, FORBIDDEN = (
    "FieldValueTypeInvalid",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueForbidden",
)
DUPLICATE, NOT_FOUND = "FieldValueDuplicate", "FieldValueNotFound"


def invalid(group: str, kind: str, name: str, errors: list[FieldError]) -> Invalid:
    """All that is wrong with an object, in one answer."""
    subject = f"{kind}.{group}" if group else kind
    said = str(errors[0]) if len(errors) == 1 else "[" + ", ".join(map(str, errors)) + "]"
    details: Document = {"name": name} if name else {}
    details |= {"group": group} if group else {}
    causes = [{"reason": one.reason, "message": one.message, "field": one.path or "<nil>"} for one in errors]
    return Invalid(f'{subject} "{name}" is invalid: {said}', details | {"kind": kind, "causes": causes})


def invalid_patch(said: str) -> Invalid:
    """The patch could be read; what comes out of it cannot be decoded."""
    causes = [{"reason": INVALID, "message": f"Invalid value: {said}", "field": "patch"}]
    return Invalid(f' "" is invalid: patch: Invalid value: {said}', {"causes": causes})
