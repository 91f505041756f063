"""Which queries are around a node, and what their FROM reads."""

from collections.abc import Iterator

from sqlglot import exp

_QUERIES = (exp.Select, exp.Update, exp.Delete, exp.Insert)


def enclosing_queries(node: exp.Expr) -> Iterator[exp.Expr]:
    """The queries around a node, the innermost first; most columns are of that one."""
    query = node.find_ancestor(*_QUERIES)
    while query is not None:
        yield query
        query = query.find_ancestor(*_QUERIES)


def sources(query: exp.Expr, alias: str) -> list[exp.Expr]:
    """The relations in a query's FROM; only that of a name, where a name is given."""
    found: list[exp.Expr] = []
    clause = query.args.get("from_")
    if isinstance(clause, exp.From):
        found.append(clause.this)
    found.extend(join.this for join in query.args.get("joins") or ())
    if isinstance(query, (exp.Update, exp.Delete)) and isinstance(query.this, exp.Expr):
        found.append(query.this)
    elif isinstance(query, exp.Insert) and isinstance(query.this, exp.Expr):
        found.append(query.this.this if isinstance(query.this, exp.Schema) else query.this)
    if not all(type(item) is exp.Table and not item.args.get("joins") for item in found):
        found = [relation for item in found for relation in _joined(item)]
    if not alias:
        return found
    wanted = alias.lower()
    return [item for item in found if item.alias_or_name.lower() == wanted]


def _joined(item: exp.Expr) -> list[exp.Expr]:
    """A relation with those that are joined to it inside its parentheses."""
    if isinstance(item, exp.Table) and not item.args.get("joins"):
        return [item]
    inner = item.this if isinstance(item, (exp.Paren, exp.Subquery)) and not item.alias else None
    first = _joined(inner) if isinstance(inner, (exp.Table, exp.Paren, exp.Subquery)) else [item]
    return first + [one for join in item.args.get("joins") or () for one in _joined(join.this)]


def typing_query(definition: exp.CTE) -> exp.Expr:
    """The query that gives a CTE's types: of a recursive one, its first term."""
    query: exp.Expr = definition.this
    is_recursive = definition.parent is not None and definition.parent.args.get("recursive")
    if is_recursive and isinstance(query, exp.SetOperation):
        query = query.this
    return query


def cte_of(table: exp.Table) -> exp.CTE | None:
    """The common table expression that a name in FROM means."""
    if table.args.get("db"):
        return None
    node: exp.Expr | None = table
    while node is not None:
        clause = node.args.get("with_")
        for definition in clause.expressions if isinstance(clause, exp.With) else ():
            if definition.alias.lower() == table.name.lower():
                return definition if isinstance(definition, exp.CTE) else None
        node = node.parent
    return None
