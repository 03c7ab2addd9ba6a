"""`python -m arkwright`: the same as the command."""

from arkwright.cli import main

if __name__ == "__main__":
    main()
