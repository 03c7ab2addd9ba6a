"""What tests read from pods."""


def container_of(pod):
    """The state of its only container."""
    (only,) = pod["status"]["containerStatuses"]
    return only


def pid_of(pod):
    """Of its base's process. Never 0: a signal to 0 is one to everybody who runs these tests."""
    number = int(container_of(pod)["containerID"].rpartition("/")[2])
    assert number, f"no process runs for {pod['metadata']['name']}"
    return number
