"""A module's process that shares nothing with the warm one: as an interpreter of its own. In: an Order in JSON, as its argument."""

import sys

import msgspec

from arkwright.arklet.bridge.orders import Order
from arkwright.arklet.runner.module import run

if __name__ == "__main__":
    run(msgspec.json.decode(sys.argv[1], type=Order))
