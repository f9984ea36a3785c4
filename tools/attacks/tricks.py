"""What tries our own code: budgets, orders of formats, polyglots, encodings."""


def cases() -> dict[str, dict[str, bytes]]:
    return {}
