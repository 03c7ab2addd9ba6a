"""Faults of loops that are kept running. In: one of a Supervisor's loops. Out: the loop, ended; and a question that is true once it runs again."""


def broken_twice(loop):
    """Ends it as whatever is wrong may end it; it fails once more when it is begun anew."""
    run, was = loop.run, loop.failures

    async def fail():
        loop.run = run
        raise RuntimeError("injected")

    loop.run = fail
    loop.task.cancel()
    return lambda: loop.failures >= was + 2 and not loop.error and not loop.task.done()
