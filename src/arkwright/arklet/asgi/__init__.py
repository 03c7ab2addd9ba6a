"""ASGI and WSGI applications: found by name, started, called, ended. Light: every process of a module has it loaded."""
