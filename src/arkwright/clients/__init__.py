"""The outside: the Kubernetes API and the agents, over HTTP."""
