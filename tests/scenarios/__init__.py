"""Black-box scenarios on a real Kubernetes API server: kubectl-level objects on one side, scripted agents on the other."""
