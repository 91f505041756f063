from pgproxy.catalog.snapshot import CatalogSnapshot, RelationKind, TableInfo
from pgproxy.policy.model import TableName


def test_a_table_is_found_whatever_the_case_of_its_name() -> None:
    names = [TableName("lake", "public", name) for name in ("Orders", "ORDERS", "plain")]
    tables = {name: TableInfo(name, RelationKind.TABLE, ()) for name in names}
    snapshot = CatalogSnapshot(1, "lake", tables)
    for wanted, found in (("ORDERS", names[1]), ("orders", names[0]), ("PLAIN", names[2])):
        assert snapshot.find_table(TableName("lake", "public", wanted)) is tables[found]
    assert snapshot.find_table(TableName("LAKE", "Public", "plain")) is tables[names[2]]
    assert snapshot.find_table(TableName("lake", "pg_catalog", "plain")) is None
