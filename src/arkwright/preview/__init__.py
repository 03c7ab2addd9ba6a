"""What would happen: the controller's own planners, played through on a copy of what is there, in a time of their own. Nothing is written.

`rehearsal` plays; `outlook` makes of it a Preview of a wish, `deletions` of a deletion, by `batches` and `effects`; `wording` says it to
people. The copy: `agenda` (what is due when), `writes` (what an API server makes of a write), `agents` (agents that do what they are asked).
"""
