"""One machine: base processes that play the pods of a Deployment."""
