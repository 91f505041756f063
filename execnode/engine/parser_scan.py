"""Relations and functions of a serialised tree, read from its text without making objects of it.

Most statements that the gateway verifies are one query without common table expressions. In such a tree every
BASE_TABLE is a relation, so it is enough to look at the values of a few keys, in a third of the time that the
tree takes as Python objects. A key stands in the text as `"key":`, and nothing else reads so: in a string
that DuckDB writes, a quotation mark has a backslash before it. Whatever looks unusual is left to the walk.
"""

_MOST_CHARS = 32_768
"""Of a longer tree the walk finds out whether it is nested too deeply, which is refused."""
_ONE_QUERY = '{"error":false,"statements":[{"node":{'
_LEFT_TO_THE_WALK = (
    '"cte_map"',  # scopes of names
    '"cte_name"',
    '"SHOW_REF"',
    ',{"node":',  # another statement
)
_TABLE, _FUNCTION = '"type":"BASE_TABLE"', '"function_name":"'
_NAME, _SCHEMA, _CATALOG = '"table_name":"', '"schema_name":"', ',"catalog_name":"'
_ALIASES, _SCHEMA_OF_FUNCTION = ',"column_name_alias"', ',"schema":"'
_UNPLACED = (',"children":', ',"order_bys":', ',"orders":', ',"partitions":')
"""One of these follows the name of a function without a schema; after anything else it may come later."""


def scan(tree: str, relations: set[tuple[str, str, str]], functions: set[tuple[str, str]]) -> bool:
    """Add what a tree holds to the sets. False: nothing was added, and the tree must be walked."""
    if len(tree) > _MOST_CHARS or not tree.startswith(_ONE_QUERY):
        return False
    if any(part in tree for part in _LEFT_TO_THE_WALK):
        return False
    tables = tree.split(_TABLE)[1:]
    found = [_relation(text) for text in tables]
    called = [_function(text) for text in tree.split(_FUNCTION)[1:]]
    if None in found or None in called or tree.count(_NAME) != len(tables):
        return False
    relations.update(one for one in found if one is not None)
    functions.update(one for one in called if one is not None)
    return True


def _relation(text: str) -> tuple[str, str, str] | None:
    """The table of a node whose text goes on so; None: it is not as expected."""
    start = text.find(_NAME)
    if start < 0:
        return None
    schema = ""
    if (at := text.find(_SCHEMA, 0, start)) >= 0:
        schema = text[at + len(_SCHEMA) : start - 2]
        if text[start - 2 : start] != '",' or '"' in schema:
            return None
    name, _, rest = text[start + len(_NAME) :].partition('"')
    if rest.startswith(_ALIASES):
        return None
    catalog = rest[len(_CATALOG) :].partition('"')[0] if rest.startswith(_CATALOG) else ""
    return None if "\\" in f"{catalog}{schema}{name}" else (catalog, schema, name)


def _function(text: str) -> tuple[str, str] | None:
    """The function whose name begins the text; None: it is not as expected."""
    name, _, rest = text.partition('"')
    schema = ""
    if rest.startswith(_SCHEMA_OF_FUNCTION):
        schema = rest[len(_SCHEMA_OF_FUNCTION) :].partition('"')[0]
    elif not rest.startswith(_UNPLACED):
        return None
    return None if "\\" in f"{schema}{name}" else (schema.lower(), name.lower())
