"""The hand on the switch: one file per family of commands."""
