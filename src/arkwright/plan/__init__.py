"""Decisions: `(observed, now) -> Plan`. Values in, values out: no await, no clock, no client, no log.

Read `intents` for what a plan can say, `batches` for the arithmetic, then one planner a kind:
`deployment`, `replicaset`, `module`, `basepod`. They meet only through cluster objects.
"""
