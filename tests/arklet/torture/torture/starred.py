__all__ = ["STARRED"]
STARRED = "starred"
HIDDEN = "hidden"
