"""What is wrong with an archive, or with the way to it."""


class PackageError(Exception):
    """The archive cannot be used; the message names the url or the file in it, and the reason."""


class PullError(PackageError):
    """The archive could not be fetched."""
