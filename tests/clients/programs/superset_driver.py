"""Drives Apache Superset's REST API against one server and prints what it gave, by step, as JSON.

python superset_driver.py SQLALCHEMY_URI: SUPERSET_CONFIG_PATH names the configuration; the metadata database
is up to date. Runs with Superset's own interpreter.
"""

import json
import sys
from typing import Any

from superset.app import create_app

URI = sys.argv[1]
CHART = {
    "granularity": "placed",
    "time_range": "2024-01-01 : 2024-02-01",
    "columns": [
        {"columnType": "BASE_AXIS", "sqlExpression": "placed", "label": "placed", "expressionType": "SQL",
         "timeGrain": "P1D"},
    ],
    "metrics": [{"expressionType": "SQL", "sqlExpression": "SUM(amount)", "label": "total"}, "count"],
    "filters": [{"col": "customer_id", "op": "IN", "val": [1, 2, 3]}],
    "orderby": [["count", False]],
    "row_limit": 50,
    "extras": {"time_grain_sqla": "P1D"},
}  # fmt: skip

app = create_app()
with app.app_context():
    from superset import security_manager

    security_manager.sync_role_definitions()
    if not security_manager.find_user("tester"):
        role = security_manager.find_role("Admin")
        security_manager.add_user("tester", "T", "T", "t@example.com", role, "tester-secret")

client = app.test_client()
login = {"username": "tester", "password": "tester-secret", "provider": "db"}
token = client.post("/api/v1/security/login", json=login).json["access_token"]


def call(method: str, path: str, body: Any = None) -> Any:
    """Give the answer's JSON; the program ends where Superset refuses."""
    answer = getattr(client, method)(
        f"/api/v1/{path}", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    if answer.status_code not in (200, 201):
        sys.exit(f"{path}: {answer.status_code} {answer.json}")
    return answer.json


named = {"database_name": "tested", "sqlalchemy_uri": URI}
found: dict[str, Any] = {"test_connection": call("post", "database/test_connection/", named)}
database = call("post", "database/", {**named, "expose_in_sqllab": True})["id"]
found["schemas"] = sorted(call("get", f"database/{database}/schemas/")["result"])
tables = call("get", f"database/{database}/tables/?q=(schema_name:sales,force:!t)")["result"]
found["tables"] = [(table["type"], table["value"]) for table in tables]
for name in ("orders", "customers"):
    found[name] = call("get", f"database/{database}/table_metadata/?name={name}&schema=sales")
made = call("post", "dataset/", {"database": database, "schema": "sales", "table_name": "orders"})
found["dataset"] = [(c["column_name"], c["type"], c["is_dttm"]) for c in made["data"]["columns"]]
source = {"id": made["id"], "type": "table"}
chart = call("post", "chart/data", {"datasource": source, "force": True, "queries": [CHART]})["result"][0]
found["chart"] = [chart[part] for part in ("status", "colnames", "coltypes", "data")]
print(json.dumps(found))
