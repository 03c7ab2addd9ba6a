"""The log of all versions of all objects, and who hears of them. In: encoded objects. Out: Records, Changes, events.

watches          every watcher's queue
  records          one SQLite log: what is there, what was there, and what has changed since
    files            that log as a file: sound, damaged, copied
"""

from arkwright.apiserver.store.files import StoreDamaged, StoreFailed, copy, restore
from arkwright.apiserver.store.records import Change, Compacted, Key, Record, Store
from arkwright.apiserver.store.watches import Event, Filter, Watcher, Watches, bookmark, event_line

__all__ = [
    "Change",
    "Compacted",
    "Event",
    "Filter",
    "Key",
    "Record",
    "Store",
    "StoreDamaged",
    "StoreFailed",
    "Watcher",
    "Watches",
    "bookmark",
    "copy",
    "event_line",
    "restore",
]
