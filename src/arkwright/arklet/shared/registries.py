"""Registries of libraries that many have: metrics, tables, tasks, scheduled jobs. In: what modules register there. Out: it goes with them.

Each library gets a thin layer over the one call that registers, once it is imported. Two versions of a module register the same
names: the later one takes the place of the earlier, which gets it back if the later goes first. Not done here: plain containers
(`caches`).
"""

import codecs
import functools
import sys
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from arkwright.arklet.shared.facades import when_imported
from arkwright.arklet.shared.ownership import Maker, all_makers, maker, owner_of, rival, starter
from arkwright.arklet.shared.reach import all_of, reaches

_registered: WeakKeyDictionary[Any, Maker] = WeakKeyDictionary()
_with_classes: WeakSet[Maker] = WeakSet()


def watch_registries() -> None:
    """Those of the libraries that are there, and of others as they come."""
    for name, layer in LIBRARIES.items():
        when_imported(name, layer)
    _codecs()


def take_out(owner: Maker) -> None:
    """All that the module has registered, the last first."""
    for other in all_makers():
        other.undoing = [(undo, gone) for undo, gone in other.undoing if gone is not owner]
    while owner.undoing:
        owner.undoing.pop()[0]()
    if base := sys.modules.get("apscheduler.schedulers.base"):
        for scheduler in all_of(base.BaseScheduler):
            _take_jobs(scheduler, owner)
    if state := sys.modules.get("celery._state"):
        for app in list(state._apps):
            _take_promises(app, owner)


def _layer(holder: Any, name: str, made: Callable[..., Any]) -> None:
    """`made` is called with the original and its arguments."""
    original = getattr(holder, name)

    @functools.wraps(original)
    def layered(*args: Any, **more: Any) -> Any:
        return made(original, *args, **more)

    setattr(holder, name, layered)


def _take_place(owner: Maker, out: Callable[[], object], back: Callable[[], object], other: Maker) -> None:
    """Another version's entry goes, and comes back if that version is there longer."""
    out()
    owner.undoing.append((back, other))


def _undo(owner: Maker, undo: Callable[[], object]) -> None:
    owner.undoing.append((undo, None))


def _metrics(module: Any) -> None:
    def register(original: Any, registry: Any, collector: Any) -> None:
        if owner := maker("prometheus_client") or starter():
            held = {registry._names_to_collectors.get(name) for name in registry._get_names(collector)} - {None}
            for one in held:
                if other := rival(owner, _registered.get(one)):
                    _take_place(
                        owner, partial(registry.unregister, one), partial(_again, original, registry, ref(one)), other
                    )
            _registered[collector] = owner
            _undo(owner, partial(_unregister, registry, ref(collector)))
        original(registry, collector)

    _layer(module.CollectorRegistry, "register", register)


def _again(register: Any, registry: Any, held: Any) -> None:
    if (collector := held()) is not None:
        register(registry, collector)


def _unregister(registry: Any, held: Any) -> None:
    if (collector := held()) in registry._collector_to_names:
        registry.unregister(collector)


def _tables(module: Any) -> None:
    def new(original: Any, *args: Any, **more: Any) -> Any:
        owner = maker("sqlalchemy") or starter()
        if owner is None or len(args) < 2:
            return original(*args, **more)
        metadata, key = args[1], _key(args, more)
        held = metadata.tables.get(key)
        if held is not None and (other := rival(owner, _registered.get(held))):
            back = partial(metadata._add_table, args[0], held.schema, held)
            _take_place(owner, partial(metadata.remove, held), back, other)
        table = original(*args, **more)
        _registered[table] = owner
        _undo(owner, lambda: metadata.remove(table) if metadata.tables.get(key) is table else None)
        return table

    _layer(module.Table, "_new", new)


def _key(args: Any, more: Any) -> str:
    schema = more.get("schema") or args[1].schema
    return f"{schema}.{args[0]}" if schema else str(args[0])


def _classes(module: Any) -> None:
    """Those that relations name in words, and their mappers."""

    def add(original: Any, name: str, cls: Any, registry: Any) -> None:
        held, owner = registry.get(name), owner_of(cls)
        if owner and owner not in _with_classes:
            _with_classes.add(owner)
            _configure([one for one in list(registry.values()) if rival(owner, owner_of(one))])
        if owner and (other := rival(owner, owner_of(held))):
            _take_place(
                owner,
                partial(module._remove_class, name, held, registry),
                partial(original, name, held, registry),
                other,
            )
        original(name, cls, registry)
        if owner:
            _undo(owner, partial(_dispose, cls))

    _layer(module, "_add_class", add)


def _configure(classes: list[Any]) -> None:
    """What another version's relations and foreign keys say in words is looked up while the words mean its own."""
    for registry in {one.__dict__["_sa_class_manager"].registry for one in classes}:
        try:
            registry.configure()
        except Exception:  # not all is there yet: it is looked up later, as it would have been
            for mapper in registry.mappers:
                mapper.__dict__.pop("_configure_failed", None)


def _dispose(cls: Any) -> None:
    manager = cls.__dict__.get("_sa_class_manager")
    if manager is not None and manager.registry is not None:
        manager.registry._dispose_manager_and_mapper(manager)


def _tasks(module: Any) -> None:
    def task(original: Any, app: Any, fun: Any, name: Any = None, **more: Any) -> Any:
        if (owner := owner_of(fun)) is None:
            return original(app, fun, name, **more)
        name = name or app.gen_task_name(fun.__name__, fun.__module__)
        held = app._tasks.get(name)
        if other := rival(owner, owner_of(type(held))):
            _take_place(owner, partial(app._tasks.pop, name), partial(app._tasks.setdefault, name, held), other)
        made = original(app, fun, name, **more)
        _undo(owner, lambda: app._tasks.pop(name, None) if app._tasks.get(name) is made else None)
        return made

    _layer(module.Celery, "_task_from_fun", task)


def _take_promises(app: Any, owner: Maker) -> None:
    """Tasks that nobody has asked for yet."""
    kept = [promise for promise in app._pending if not reaches(promise, owner, 4)]
    app._pending.clear()
    app._pending.extend(kept)


def _schedulers(module: Any) -> None:
    def make(original: Any, scheduler: Any, *args: Any, **more: Any) -> None:
        original(scheduler, *args, **more)
        if owner := maker("apscheduler") or starter():
            made = ref(scheduler)
            _undo(owner, lambda: _shut_down(made()))

    _layer(module.BaseScheduler, "__init__", make)


def _shut_down(scheduler: Any) -> None:
    if scheduler is not None and scheduler.running:
        scheduler.shutdown(wait=False)


def _take_jobs(scheduler: Any, owner: Maker) -> None:
    """Out of one that goes on, the base's."""
    for job in scheduler.get_jobs():
        if owner.has_part_in(job.func):
            job.remove()


def _shut_down_at_the_end(name: str) -> Callable[[Any], None]:
    """What a library lets the interpreter's exit shut down. It may wait for what it is sending."""

    def make(original: Any, one: Any, *args: Any, **more: Any) -> None:
        original(one, *args, **more)
        if owner := maker("opentelemetry") or starter():
            owner.exits.append((one.shutdown, (), {}))

    return lambda module: _layer(getattr(module, name), "__init__", make)


def _codecs() -> None:
    def register(original: Any, search: Any, /) -> None:
        original(search)
        if owner := maker():
            _undo(owner, partial(codecs.unregister, search))

    _layer(codecs, "register", register)


LIBRARIES: dict[str, Callable[[Any], None]] = {
    "prometheus_client.registry": _metrics,
    "sqlalchemy.sql.schema": _tables,
    "sqlalchemy.orm.clsregistry": _classes,
    "celery.app.base": _tasks,
    "apscheduler.schedulers.base": _schedulers,
    "opentelemetry.sdk.trace": _shut_down_at_the_end("TracerProvider"),
    "opentelemetry.sdk.metrics._internal": _shut_down_at_the_end("MeterProvider"),
    "opentelemetry.sdk._logs._internal": _shut_down_at_the_end("LoggerProvider"),
}
