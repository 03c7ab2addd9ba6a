"""A call to an agent that proves whose it is: a JSON Web Token about this one call. In: the call, a key, the time. Out: a token, or what is wrong with one.

Nothing in it is a secret: it is good for one call of one command with one body to one base pod, once, for two minutes. So it may go to
agents that have proven nothing, and over clear text; Java agents do not look at it.

claim   what it says
do      the command
pod     uid of the base pod; "" where the caller does not know it
to      where the caller has sent it: address:port
sha256  of the body, in hex
iat     when it was made; exp: until when it is good (seconds since 1970)
jti     tells calls apart
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ALGORITHM = "EdDSA"
GOOD_SECONDS = 60
CLOCKS_DIFFER_SECONDS = 60
NO_CHECKS = {"verify_exp": False, "verify_iat": False, "require": ["do", "pod", "to", "sha256", "iat", "exp", "jti"]}


class BadSignature(Exception):
    """A call is not what its token says, or nobody known has signed it; the message says which."""


class BadSigningKey(ValueError):
    """What should hold keys does not; the message says why."""


@dataclass(frozen=True)
class Call:
    """`to`: address:port. `pod`: its uid, "" if unknown."""

    command: str
    body: bytes
    to: str
    pod: str = ""


@dataclass(frozen=True)
class SigningKey:
    """`name` tells keys apart while one replaces another."""

    name: str
    key: Ed25519PrivateKey

    def sign(self, call: Call, now: float, number: str) -> str:
        """The token; `now`: seconds since 1970, `number`: one that no other call has."""
        claims = {
            "do": call.command,
            "pod": call.pod,
            "to": call.to,
            "sha256": hashlib.sha256(call.body).hexdigest(),
            "iat": int(now),
            "exp": int(now) + GOOD_SECONDS,
            "jti": number,
        }
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"kid": self.name})


def signing_key(pem: bytes) -> SigningKey:
    """Raises BadSigningKey."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise BadSigningKey("it is no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSigningKey("it is no Ed25519 key")
    return SigningKey(name_of(key.public_key()), key)


def name_of(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def key_set(keys: tuple[Ed25519PublicKey, ...]) -> dict[str, Any]:
    """Public keys as a JSON Web Key Set."""
    made = (jwt.algorithms.OKPAlgorithm.to_jwk(one, as_dict=True) | {"kid": name_of(one)} for one in keys)
    return {"keys": [one | {"use": "sig", "alg": ALGORITHM} for one in made]}


def keys_of(text: bytes) -> dict[str, jwt.PyJWK]:
    """Name -> key, of a JSON Web Key Set. Raises BadSigningKey."""
    try:
        if json.loads(text) == {"keys": []}:
            return {}  # well formed: nobody is known any more
        found = {one.key_id or "": one for one in jwt.PyJWKSet.from_json(text.decode()).keys}
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
        raise BadSigningKey("it is no JSON Web Key Set") from error
    if not all(isinstance(one.key, Ed25519PublicKey) for one in found.values()):
        raise BadSigningKey("its keys are to be Ed25519 public keys")
    return found


@dataclass(frozen=True)
class Proven:
    """A token that holds. Whoever takes the call has to see that `number` does not come twice until `until`."""

    number: str
    until: float


def check(token: str, call: Call, keys: dict[str, jwt.PyJWK], now: float) -> Proven:
    """`call`: as it came. What does not know its own pod passes "". Raises BadSignature."""
    claims = _claims(token, keys)
    until = _seconds(claims["exp"]) + CLOCKS_DIFFER_SECONDS
    began = _seconds(claims["iat"]) - CLOCKS_DIFFER_SECONDS
    if not began <= now <= min(until, began + GOOD_SECONDS + 2 * CLOCKS_DIFFER_SECONDS):
        raise BadSignature("its time is over, or has not come: compare the clocks of controller and base")
    if not hmac.compare_digest(str(claims["sha256"]), hashlib.sha256(call.body).hexdigest()):
        raise BadSignature("it is for another body")
    if claims["do"] != call.command:
        raise BadSignature("it is for another command")
    if call.pod and claims["pod"]:
        if claims["pod"] != call.pod:
            raise BadSignature("it is for another base pod")
    elif claims["to"] != call.to:
        raise BadSignature("it is for another address")
    return Proven(str(claims["jti"]), until)


def _claims(token: str, keys: dict[str, jwt.PyJWK]) -> dict[str, Any]:
    try:
        key = keys.get(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            raise BadSignature("nobody whom this agent knows has signed it")
        found: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options=NO_CHECKS)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise BadSignature("its signature does not hold") from error
    return found


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise BadSignature("its times are no numbers")
