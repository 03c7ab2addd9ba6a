import torture.circle_a

NAME = "b"


def both():
    return torture.circle_a.NAME + NAME
