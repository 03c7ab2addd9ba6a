"""Stand-ins for what lies outside: an agent's brain, its HTTP face, an in-memory Kubernetes API. Held to the real ones by contract tests."""
