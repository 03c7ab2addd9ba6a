"""Arkwright hot-loads modules of business code into running base processes, in batches, without losing a request.

The rooms, and what each is for (the import contract in pyproject.toml keeps the arrows pointing down):

    model       nouns: what exists, as frozen values, and the codec from and to JSON
    plan        decisions: (observed, now) -> Plan; pure, no I/O, no clock
    clients     the outside: the Kubernetes API and the agents, over HTTP
    controller  the loop: watch, remember, queue, observe, plan, execute
    arklet      the agent: installs, serves and removes modules in one base process
    apiserver   the Kubernetes API for one machine, on SQLite; knows objects, not modules
    standalone  one machine: API, controller, and processes that play the pods of a Deployment
    preview     what would happen: the planners of the controller, played through on a copy
    people      what people are told of a release, what they may do about it, who did it
    web         the dashboard: pages that follow the cluster, with the rights of whoever looks
    cli         the hand on the switch

and four that several rooms use: listening (servers that bear their clients), callers (which user is at the other end), private
(files that are their owner's alone), supervision (loops that are begun anew).

Read next: plan/intents.py, plan/batches.py, controller/reconcile.py.
"""

__version__ = "0.1.0"
