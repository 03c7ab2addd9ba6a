"""One namespace as many: what a fleet of a hundred thousand Modules looks like in the embedded API's store, without a release of each.

In: the file of a server that does not run, a namespace that is online in it. Out: as many like it, with uids, names, addresses of their own.
"""

import re
import sqlite3
from contextlib import closing

from arkwright.model.names import short_hash

KINDS = ("namespaces", "deployments.apps", "pods", "moduledeployments", "modulereplicasets", "modules")
UID = re.compile(r'"uid":"([0-9a-f-]{36})"')
LATEST = """
select resource, name, cast(body as text) from log as one where not is_deletion and (namespace = :namespace or (resource = 'namespaces' and name = :namespace))
and not exists (select 1 from log where previous = one.version)
"""


def multiply(file, namespace, others, addresses):
    """`others`: names of the new namespaces. `addresses(number)`: of each pod of the one that is there, its address in the number-th other."""
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = [row for row in connection.execute(LATEST, {"namespace": namespace}) if row[0].startswith(KINDS)]
        (version,) = connection.execute("select max(version) from log").fetchone()
        uids = {uid for _, _, body in rows for uid in UID.findall(body)}
        for number, other in enumerate(others):
            rename = _renaming(namespace, other, uids, addresses(number))
            for resource, name, body in rows:
                version += 1
                where = ("", other) if resource == "namespaces" else (other, rename(name))
                new = re.sub(r'"resourceVersion":"\d+"', f'"resourceVersion":"{version}"', rename(body), count=1)
                values = (version, resource, *where, 0, 0, new.encode())
                connection.execute("insert into log values (?, ?, ?, ?, ?, ?, ?)", values)


def _renaming(namespace, other, uids, addresses):
    names = {f'"{namespace}"': f'"{other}"'} | {f'"{old}"': f'"{new}"' for old, new in addresses.items()}
    for uid in uids:
        new = f"{short_hash(other + uid)[:8]:0<8}{uid[8:]}"
        names |= {uid: new, short_hash(uid): short_hash(new)}
    pattern = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
    return lambda text: pattern.sub(lambda found: names[found[0]], text)
