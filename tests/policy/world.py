# ruff: noqa: E501 - one case a line
"""A small governed world: catalogs with hidden rows and columns, four principals, and a raw DuckDB to run plans on."""

from typing import Any

import duckdb

from execnode.engine.functions import install_functions
from execnode.engine.parser import serialized_tree
from pgproxy.catalog.snapshot import (
    CatalogSnapshot,
    ColumnInfo,
    RelationKind,
    SystemRelation,
    TableInfo,
    Visibility,
)
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import (
    ColumnMask,
    Grant,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    TableName,
)
from pgproxy.sql.plan import BoundValue, EngineTree, Plan, PlanContext
from pgproxy.sql.planner import plan_statement

SCRIPT = """
CREATE SCHEMA lake.sales; CREATE SCHEMA lake.hr;
CREATE TABLE lake.sales.customers(id INTEGER PRIMARY KEY, name VARCHAR, region VARCHAR, ssn VARCHAR,
    email VARCHAR, balance DECIMAL(15,2), note VARCHAR, joined DATE, tags VARCHAR[], addr STRUCT(city VARCHAR, zip INTEGER));
INSERT INTO lake.sales.customers VALUES
 (1,'ann','EU','ssn-SECRET-1','ann@x.eu',10.50,'7',DATE '2020-01-01',['a','b'],{'city':'Oslo','zip':1}),
 (2,'bob','EU','ssn-SECRET-2','bob@x.eu',20.25,'8',DATE '2021-02-02',['b'],{'city':'Bern','zip':2}),
 (3,'cyd','US','ssn-SECRET-3','HIDDEN-cyd@x.us',30.00,'HIDDEN-note-3',DATE '2022-03-03',['HIDDEN-tag'],{'city':'HIDDEN-NYC','zip':3}),
 (4,'HIDDEN-dan','US','ssn-SECRET-4','HIDDEN-dan@x.us',40.75,'HIDDEN-note-4',DATE '2023-04-04',[],{'city':'HIDDEN-LA','zip':4}),
 (5,'HIDDEN-eve',NULL,'ssn-SECRET-5','HIDDEN-eve@x.us',50.00,'HIDDEN-note-5',DATE '2024-05-05',NULL,NULL);
CREATE TABLE lake.sales.orders(id INTEGER, customer_id INTEGER, amount DECIMAL(15,2), placed DATE, status VARCHAR);
INSERT INTO lake.sales.orders VALUES (10,1,5.00,DATE '2024-01-01','open'),(11,1,6.50,DATE '2024-01-02','done'),
 (12,2,7.00,DATE '2024-02-01','open'),(13,3,8.00,DATE '2024-02-02','done'),(14,4,9.00,DATE '2024-03-01','open');
CREATE TABLE lake.hr.salaries(id INTEGER, person VARCHAR, pay INTEGER);
INSERT INTO lake.hr.salaries VALUES (1,'HIDDEN-boss',999999),(2,'HIDDEN-clerk',111111);
CREATE TABLE lake.hr.staff(id INTEGER, name VARCHAR, phone VARCHAR, dept VARCHAR);
INSERT INTO lake.hr.staff VALUES (1,'sam','HIDDEN-phone-1','ops'),(2,'tia','HIDDEN-phone-2','dev');
CREATE TABLE lake.main.orders(id INTEGER, label VARCHAR);
INSERT INTO lake.main.orders VALUES (1,'HIDDEN-public-orders');
CREATE TABLE lake.main.numbers(n INTEGER);
INSERT INTO lake.main.numbers VALUES (1),(2),(3);
CREATE VIEW lake.sales.eu_names AS SELECT id, name, ssn FROM lake.sales.customers;
"""
MARKERS = ("HIDDEN", "SECRET", "999999", "111111")


def _table(
    schema: str,
    name: str,
    kind: RelationKind = RelationKind.TABLE,
    view_sql: str | None = None,
    /,
    **columns: str,
) -> TableInfo:
    infos = tuple(ColumnInfo(column, engine_type) for column, engine_type in columns.items())
    return TableInfo(TableName("lake", schema, name), kind, infos, view_sql=view_sql)


TABLES = (
    _table("sales", "customers", id="INTEGER", name="VARCHAR", region="VARCHAR", ssn="VARCHAR", email="VARCHAR",
           balance="DECIMAL(15,2)", note="VARCHAR", joined="DATE", tags="VARCHAR[]",
           addr="STRUCT(city VARCHAR, zip INTEGER)"),
    _table("sales", "orders", id="INTEGER", customer_id="INTEGER", amount="DECIMAL(15,2)", placed="DATE", status="VARCHAR"),
    _table("hr", "salaries", id="INTEGER", person="VARCHAR", pay="INTEGER"),
    _table("hr", "staff", id="INTEGER", name="VARCHAR", phone="VARCHAR", dept="VARCHAR"),
    _table("public", "orders", id="INTEGER", label="VARCHAR"),
    _table("public", "numbers", n="INTEGER"),
    _table("sales", "eu_names", RelationKind.VIEW, "SELECT id, name, ssn FROM lake.sales.customers",
           id="INTEGER", name="VARCHAR", ssn="VARCHAR"),
)  # fmt: skip
CUSTOMERS = TableName("lake", "sales", "customers")
SYSTEM = {
    ("pg_catalog", "pg_class"): SystemRelation(
        ("held", "pg_class"),
        (ColumnInfo("oid", "UINTEGER", pg_type="oid"), ColumnInfo("relname", "VARCHAR", pg_type="name")),
        Visibility.for_all("viewer = $viewer"),
    ),
    ("pg_catalog", "pg_authid"): SystemRelation(
        ("held", "pg_authid"), (ColumnInfo("rolname", "VARCHAR"),), None, admin_only=True
    ),
}
CATALOG = CatalogSnapshot(
    generation=1,
    default_catalog="lake",
    tables={table.name: table for table in TABLES},
    schemas=frozenset({("lake", "sales"), ("lake", "hr"), ("lake", "public")}),
    system_relations=SYSTEM,
    oids={CUSTOMERS: 16400},
)


def _grants() -> tuple[Grant, ...]:
    def on(
        principal: str,
        privilege: Privilege,
        schema: str,
        table: str | None,
        columns: frozenset[str] | None = None,
    ) -> Grant:
        return Grant(principal, privilege, "lake", schema, table, columns)

    select = Privilege.SELECT
    return (
        on("analysts", select, "sales", None),
        on("analysts", select, "public", "numbers"),
        on("analysts", select, "hr", "staff", frozenset({"id", "name", "dept"})),
        on("writer", select, "sales", None),
        on("writer", select, "public", "numbers"),
        *(
            on("writer", privilege, "sales", None)
            for privilege in (Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE, Privilege.TRUNCATE)
        ),
        *(
            on("writer", privilege, "public", "numbers")
            for privilege in (Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE)
        ),
        on("auditor", select, "sales", None),
        on("dropbox", Privilege.INSERT, "sales", "orders"),
    )


def policy_set() -> PolicySet:
    user, group = PrincipalKind.USER, PrincipalKind.GROUP
    principals = (
        Principal("analyst", user, member_of=frozenset({"analysts"}), attributes={"region": "EU"}),
        Principal("intern", user),
        Principal("writer", user, attributes={"region": "EU"}),
        Principal("auditor", user),
        Principal("dropbox", user),
        Principal("root", user, is_admin=True),
        Principal("analysts", group),
    )
    region = "region = current_setting('pgproxy.attr.region')"
    who = frozenset({"analysts", "writer"})
    return PolicySet(
        epoch=1,
        principals={principal.name: principal for principal in principals},
        grants=_grants(),
        row_filters=(RowFilter("own_region", CUSTOMERS, region, who),),
        column_masks=(
            ColumnMask("no_ssn", CUSTOMERS, "ssn", "'***'", who),
            ColumnMask(
                "short_mail", CUSTOMERS, "email", "left(email, 1) || '@' || split_part(email, '@', 2)", who
            ),
        ),
    )


def parse_engine_sql(sql: str) -> EngineTree:
    """DuckDB's own parser, as the engine gives it."""
    parsed = serialized_tree(sql)
    return EngineTree(parsed.statement_types, parsed.relations, parsed.functions)


def context_for(
    principal: str, search_path: tuple[str, ...] = ("sales", "public"), **changes: Any
) -> PlanContext:
    values: dict[str, Any] = {
        "policy": effective_policy(changes.pop("policies", None) or policy_set(), principal),
        "catalog": CATALOG,
        "search_path": search_path,
        "session_user": principal,
        "parse_engine_sql": parse_engine_sql,
        "session_values": {
            "current_database": BoundValue(19, "lake"),
            "current_schema": BoundValue(19, search_path[0]),
            "version": BoundValue(25, "PostgreSQL 15.0"),
            "current_setting.server_version": BoundValue(25, "15.0"),
        },
    }
    return PlanContext(**{**values, **changes})


def plan(text: str, principal: str = "analyst", oids: tuple[int, ...] = (), **changes: Any) -> Plan:
    return plan_statement(text, oids, context_for(principal, **changes))


def open_world() -> duckdb.DuckDBPyConnection:
    """Two attached catalogs, as an engine has them: the data, and the gateway's system catalog."""
    connection = duckdb.connect(config={"threads": 1})
    install_functions(connection)
    connection.execute("ATTACH ':memory:' AS lake; ATTACH ':memory:' AS pgproxy_system")
    connection.execute(SCRIPT)
    connection.execute(
        "CREATE SCHEMA pgproxy_system.held;"
        "CREATE TABLE pgproxy_system.held.pg_class(oid UINTEGER, relname VARCHAR, viewer VARCHAR);"
        "CREATE TABLE pgproxy_system.held.pg_authid(rolname VARCHAR);"
        "INSERT INTO pgproxy_system.held.pg_authid VALUES ('HIDDEN-role');"
        "INSERT INTO pgproxy_system.held.pg_class VALUES (2,'HIDDEN-table','other')"
    )
    viewer = effective_policy(policy_set(), "analyst").fingerprint
    connection.execute("INSERT INTO pgproxy_system.held.pg_class VALUES (1,'customers',?)", [viewer])
    connection.execute("SET enable_external_access=false")
    return connection


def run(
    connection: duckdb.DuckDBPyConnection, planned: Plan, parameters: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    values = [*parameters, *(value.text for value in planned.bound_values)]
    return (
        connection.execute(planned.sql, values).fetchall()
        if values
        else connection.execute(planned.sql).fetchall()
    )
