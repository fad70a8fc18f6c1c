"""Numbers of things in words."""


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`; for nouns whose plural ends in -s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
