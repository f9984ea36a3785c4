"""What would take a loader more than there is: shared parts that are hashed or walked over and over."""

from __future__ import annotations

from weigh.codecs.pickle_nodes import Call, Node, Pairs

MOST_HASHED = 10_000_000  # parts that hashing one key may touch
MOST_WALKED = 1 << 40  # parts that walking the whole value may touch
MOST_VISITS = 1_000_000


class Hashing:
    """What the keys of one stream cost: a tuple does not keep its hash, so a part shared is hashed each time."""

    __slots__ = ("known", "visits")

    def __init__(self) -> None:
        self.known: dict[int, tuple[Node, int]] = {}  # by id; the node is kept, so that its id stays its own
        self.visits = 0

    def is_bomb(self, key: Node) -> bool:
        return isinstance(key, tuple) and self.cost(key) > MOST_HASHED

    def cost(self, root: tuple[Node, ...]) -> int:
        pending: list[tuple[Node, ...]] = [root]
        while pending and self.visits < MOST_VISITS:
            node = pending[-1]
            if id(node) in self.known:
                pending.pop()
                continue
            self.visits += 1
            inner = [one for one in node if isinstance(one, tuple) and id(one) not in self.known]
            if inner:
                pending += inner
                continue
            total = len(node) + sum(self.known[id(one)][1] for one in node if isinstance(one, tuple))
            self.known[id(node)] = (node, min(total, 1 << 62))
            pending.pop()
        return self.known[id(root)][1] if id(root) in self.known else 1 << 62


def is_expanding(root: Node) -> bool:
    """Would a walk that does not mark what it has seen - printing, comparing, copying to JSON - never end?"""
    sizes: dict[int, int] = {}
    open_: set[int] = set()
    pending: list[Node] = [root]
    for _ in range(MOST_VISITS):
        if not pending:
            break
        node = pending[-1]
        if id(node) in sizes:
            pending.pop()
            continue
        parts = [one for one in _parts(node) if isinstance(one, list | tuple | Pairs | Call)]
        inner = [one for one in parts if id(one) not in sizes and id(one) not in open_]
        if inner and id(node) not in open_:
            open_.add(id(node))
            pending += inner
            continue
        sizes[id(node)] = min(1 + sum(sizes.get(id(one), 1) for one in parts), 1 << 62)
        open_.discard(id(node))
        pending.pop()
    return sizes.get(id(root), 0) > MOST_WALKED


def _parts(node: Node) -> list[Node]:
    match node:
        case list() | tuple():
            return list(node)
        case Pairs(items=items):
            return [one for pair in items for one in pair]
        case Call(arguments=arguments, state=state, items=items):
            return [arguments, state, *(one for pair in items for one in pair)]
    return []
