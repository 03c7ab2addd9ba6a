"""The Kubernetes API for one machine, on SQLite: objects, schemas and verbs; nothing of modules.

app              builds it, owns its clock
wire             HTTP: requests to verbs, what came of them to answers
objects          objects and their writes, and what follows from a write
store            the log of versions, and who hears of it
kinds            kinds, schemas, and which values are allowed
bounds           how much one request may be, or become
errors           what is answered instead of an object
identity         who the server is, and who may use it
"""
