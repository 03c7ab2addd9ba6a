"""The agent: installs, serves and removes modules in one base process. Knows nothing of Kubernetes.

The rooms, from the outside in (the import contract in pyproject.toml keeps the floors in this order):

    app         puts the agent into a base's application
    wire        the interface: commands over HTTP, what they do, who may call, what it says of itself
    modules     loads a module: its package, its host, the door in front of it
    process     the host for modules in processes of their own (isolation `process`), the base's side
runner      what runs in those processes, and the warm process that they are forked from
    shared      the host for modules in the base's process (isolation `shared`)
    door        the way of a request: which module, and through its door
    services    what the base and its modules offer each other
    archives    an archive becomes a package: downloads, signatures, unpacking; what lies beside it
    bridge      the words between a base and those processes: frames, windows, calls, values
asgi        ASGI and WSGI applications
    owners, leftovers, settings     for whom code works; what would not go; what may be set
"""
