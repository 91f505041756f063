"""The classes of a tree's nodes: who looks for a class that is not among them need not walk the tree.

Only for stages that change or note something where such a node is. What is refused is looked for by a walk.
"""

from collections.abc import Iterator

from sqlglot import exp

Kinds = frozenset[type[exp.Expr]]


def kinds_of(tree: exp.Expr) -> Kinds:
    """The classes of all nodes of a tree."""
    return frozenset(map(type, tree.walk()))


def classes_below(*kinds: type[exp.Expr]) -> Kinds:
    """These classes and all that derive from them: what `find_all` looks for when it is given them."""
    return frozenset(found for kind in kinds for found in _below(kind))


def _below(kind: type[exp.Expr]) -> Iterator[type[exp.Expr]]:
    yield kind
    for derived in kind.__subclasses__():
        yield from _below(derived)
