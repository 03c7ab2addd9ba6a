"""Where a pod's processes write. In: a directory, a pod. Out: a file that each process of it goes on with, and beside it where each began."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from arkwright.apiserver.loglines import Start, index_of, start_line
from arkwright.model.cluster import Pod


@contextlib.contextmanager
def output_of(directory: Path | None, pod: Pod, now: datetime) -> Iterator[IO[bytes] | None]:
    """For one process; None where no directory is named: it writes where we do. Raises OSError."""
    if directory is None:
        yield None
        return
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / f"{pod.name}.log"
    with log.open("ab") as file:
        with index_of(log).open("ab") as index:
            index.write(start_line(Start(file.tell(), pod.metadata.uid, now)))
        yield file
