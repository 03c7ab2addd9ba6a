from torture import circle_b

NAME = "a"


def both():
    return NAME + circle_b.NAME
