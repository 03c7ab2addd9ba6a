"""The key with which a site's controller signs calls to agents, and what its bases know of it. In: a site's directory. Out: two files.

Made anew each time the site comes up: its bases begin with it.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from arkwright.clients.agentaccess import new_private_key
from arkwright.model.signedcalls import key_set, signing_key
from arkwright.private import write_private


@dataclass(frozen=True)
class AgentKeys:
    """`private`: PEM; `public`: a JSON Web Key Set. Both are readable by their owner alone."""

    private: Path
    public: Path


def agent_keys(directory: Path) -> AgentKeys:
    """New ones in `directory`, which is there."""
    pem = new_private_key()
    found = AgentKeys(directory / "agent-signing.pem", directory / "controller-keys.json")
    write_private(found.public, msgspec.json.encode(key_set((signing_key(pem).key.public_key(),))))
    write_private(found.private, pem)
    return found
