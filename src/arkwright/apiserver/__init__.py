"""The Kubernetes API for one machine, on SQLite: objects, schemas and verbs; nothing of modules."""
