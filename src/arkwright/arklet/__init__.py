"""The agent: installs, serves and removes modules in one base process. Knows nothing of Kubernetes."""
