"""Catalogs of every kind, attached to an instance before it is locked: what each needs, and how.

A failure's own text quotes locations and credentials, so it is never passed on.

`duckdb`: one file. `parquet`: a directory, each file or folder in it a table; its views live in a small file
of the instance's own, attached read-only. `ducklake`: a lake whose catalog is in PostgreSQL.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import duckdb

from execnode.engine.errors import engine_error
from execnode.statement import CatalogDefinition
from pgwire.sqlstate import SqlState

_S3 = "s3://"
_QUIET: Mapping[str, str] = MappingProxyType(
    {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
)
_S3_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "s3_key_id": "KEY_ID",
        "s3_secret": "SECRET",
        "s3_session_token": "SESSION_TOKEN",
        "s3_endpoint": "ENDPOINT",
        "s3_region": "REGION",
        "s3_url_style": "URL_STYLE",
        "s3_use_ssl": "USE_SSL",
    }
)
"""Options of a catalog and what CREATE SECRET calls them."""


@dataclass(frozen=True, slots=True)
class AttachmentNeeds:
    """What an instance must have for its catalogs.

    extensions: to load, in this order. keeps_secrets: whether DuckDB's secret storage must be there, as an
    empty private folder.
    """

    extensions: tuple[str, ...]
    keeps_secrets: bool


def needs_of(catalogs: Iterable[CatalogDefinition]) -> AttachmentNeeds:
    """Tell what must be there before they are attached."""
    extensions: dict[str, None] = {}
    for catalog in catalogs:
        if any(place.startswith(_S3) for place in (catalog.location, catalog.options.get("data_path", ""))):
            extensions["httpfs"] = None
        if catalog.kind == "ducklake":
            if _metadata_of(catalog).startswith("postgres:"):
                extensions["postgres_scanner"] = None
            extensions["ducklake"] = None
    return AttachmentNeeds(tuple(extensions), bool(extensions))


def attach_catalog(
    connection: duckdb.DuckDBPyConnection, catalog: CatalogDefinition, folder: Path
) -> tuple[str, ...]:
    """Attach one catalog; gives the places that its files may be read and written in. Blocking.

    folder: the instance's private one.

    Raises:
        GatewayError: it cannot be attached; without any of the engine's words.
    """
    attach = _KINDS.get(catalog.kind)
    if attach is None:
        raise engine_error(
            SqlState.FEATURE_NOT_SUPPORTED, message=f'catalogs of kind "{catalog.kind}" are not supported'
        )
    try:
        return attach(connection, catalog, folder)
    except (duckdb.Error, OSError) as error:  # OSError: the folder of a lake's files
        refused = engine_error(
            SqlState.CANNOT_CONNECT_NOW,
            engine_class=type(error).__name__,
            message=f'catalog "{catalog.name}" cannot be attached',
        )
        refused.catalog = catalog.name
        raise refused from None


def _attach_file(
    connection: duckdb.DuckDBPyConnection, catalog: CatalogDefinition, _folder: Path
) -> tuple[str, ...]:
    mode = "READ_ONLY" if catalog.is_read_only else "READ_WRITE"
    connection.execute(f"ATTACH {literal(catalog.location)} AS {identifier(catalog.name)} ({mode})")
    return ()


def _attach_parquet(
    connection: duckdb.DuckDBPyConnection, catalog: CatalogDefinition, folder: Path
) -> tuple[str, ...]:
    _create_s3_secret(connection, catalog, catalog.location)
    root = catalog.location.rstrip("/") + "/"
    found = connection.execute(
        "SELECT DISTINCT split_part(substr(file, length($1) + 1), '/', 1) FROM glob($1 || '**') "
        "WHERE ends_with(file, '.parquet') ORDER BY 1",
        [root],
    ).fetchall()
    views = folder / f"views-{uuid4().hex}.duckdb"
    with duckdb.connect(str(views), config=dict(_QUIET)) as definitions:
        # Views bind when they are made: this connection may read what the instance may, and is closed.
        _lend_s3(definitions, connection, catalog)
        for (entry,) in found:
            is_file = entry.endswith(".parquet")
            name = entry.removesuffix(".parquet")
            files = root + entry if is_file else f"{root}{entry}/**/*.parquet"
            definitions.execute(
                f"CREATE VIEW {identifier(name)} AS SELECT * FROM read_parquet({literal(files)}, "
                "hive_partitioning = true)"
            )
    connection.execute(f"ATTACH {literal(str(views))} AS {identifier(catalog.name)} (READ_ONLY)")
    return (root,)


def _attach_lake(
    connection: duckdb.DuckDBPyConnection, catalog: CatalogDefinition, _folder: Path
) -> tuple[str, ...]:
    settings = ["READ_ONLY"] if catalog.is_read_only else []
    data_path = catalog.options.get("data_path")
    if data_path is not None:
        _create_s3_secret(connection, catalog, data_path)
        _make_folder(data_path)
        settings.append(f"DATA_PATH {literal(data_path)}")
    if "metadata_schema" in catalog.options:
        settings.append(f"METADATA_SCHEMA {literal(catalog.options['metadata_schema'])}")
    if "password" in catalog.credentials:
        secret = _secret_name(catalog, "postgres")
        password = literal(catalog.credentials["password"])
        connection.execute(f"CREATE SECRET {identifier(secret)} (TYPE postgres, PASSWORD {password})")
        settings.append(f"META_SECRET {literal(secret)}")
    listed = f" ({', '.join(settings)})" if settings else ""
    location = literal(f"ducklake:{_metadata_of(catalog)}")
    connection.execute(f"ATTACH {location} AS {identifier(catalog.name)}{listed}")
    stored = data_path or _stored_data_path(connection, catalog)
    if not catalog.is_read_only:
        with suppress(OSError):  # what is there can be read all the same
            _make_folder(stored)  # beside its file it is not there before the first rows, nor made with them
    return (stored,)


def _make_folder(data_path: str) -> None:
    """Of a lake's data, where that is local. Raises: OSError."""
    if data_path and "://" not in data_path:
        Path(data_path).mkdir(parents=True, exist_ok=True, mode=0o700)


def _metadata_of(catalog: CatalogDefinition) -> str:
    return catalog.location.removeprefix("ducklake:")


def _stored_data_path(connection: duckdb.DuckDBPyConnection, catalog: CatalogDefinition) -> str:
    """Where a lake says that its data is."""
    metadata = identifier(f"__ducklake_metadata_{catalog.name}")
    schema = catalog.options.get("metadata_schema")
    table = (
        f"{metadata}.{identifier(schema)}.ducklake_metadata" if schema else f"{metadata}.ducklake_metadata"
    )
    row = connection.execute(f"SELECT value FROM {table} WHERE key = 'data_path'").fetchone()
    return str(row[0]) if row is not None else ""


def _create_s3_secret(
    connection: duckdb.DuckDBPyConnection, catalog: CatalogDefinition, location: str
) -> None:
    """Make the credentials known for this location only, in memory."""
    if not location.startswith(_S3):
        return
    given = {**catalog.options, **catalog.credentials}
    parts = ["TYPE s3", f"SCOPE {literal(location)}"]
    parts += [f"{word} {literal(given[name])}" for name, word in _S3_OPTIONS.items() if name in given]
    secret = identifier(_secret_name(catalog, "s3"))
    connection.execute(f"CREATE SECRET {secret} ({', '.join(parts)})")


def _lend_s3(
    definitions: duckdb.DuckDBPyConnection,
    connection: duckdb.DuckDBPyConnection,
    catalog: CatalogDefinition,
) -> None:
    if not catalog.location.startswith(_S3):
        return
    extension = connection.execute(
        "SELECT install_path FROM duckdb_extensions() WHERE extension_name = 'httpfs' AND loaded"
    ).fetchone()
    if extension is not None:
        definitions.execute(f"LOAD {literal(str(extension[0]))}")
    _create_s3_secret(definitions, catalog, catalog.location)


def _secret_name(catalog: CatalogDefinition, what: str) -> str:
    return f"{what} of {catalog.name}"


def literal(text: str) -> str:
    """Quote a string for the engine."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name for the engine."""
    return '"' + name.replace('"', '""') + '"'


_KINDS: Mapping[str, Callable[[duckdb.DuckDBPyConnection, CatalogDefinition, Path], tuple[str, ...]]] = (
    MappingProxyType({"duckdb": _attach_file, "parquet": _attach_parquet, "ducklake": _attach_lake})
)
