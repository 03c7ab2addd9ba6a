"""The agent: installs, serves and removes modules in one base process. Knows nothing of Kubernetes.

From the outside in (the import contract keeps the floors in this order):

    app                         puts the agent into a base's application
    routes, access, openapi     the interface: commands over HTTP, who may call, what it says of itself
    baseline                    what a base should hold, asked at start
    operations, lifecycle       what the commands do, and the life of a module as a table
    modules                     loads a module: its package, its host, the door in front of it
    packages                    an archive becomes a package: downloads, signatures, archives; requirements; scratch
    inprocess                   host in the base's process: isolation (names), ownership (whose call), watching (what it makes),
                                patches, residue (what is taken back)
    ownprocess, relay, child    host in a process of its own, the way there, and that process
    router, traffic             the way of a request: which module, and through its door
    services                    what the base and its modules offer each other
    applications, lifespan      ASGI and WSGI
    settings, asgi              what may be set; the words of ASGI
"""
