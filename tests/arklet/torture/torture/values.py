VERSION = "0"  # the wheel has its own
