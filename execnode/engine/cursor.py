"""A DuckDB connection, with what must be known of it to run the next statement there."""

from dataclasses import dataclass, field

import duckdb

from execnode.engine.errors import translate_error
from execnode.engine.kept_encoders import KeptEncoders
from execnode.engine.kept_plans import KeptPlans
from execnode.engine.kept_statements import KeptStatements
from pgwire.errors import GatewayError


@dataclass(slots=True)
class EngineCursor:
    """A DuckDB connection and what must be known of it.

    time_zone: what its TimeZone is set to. has_failed: an error ended its transaction; only ROLLBACK helps.
    has_inserted_nothing: a statement of its transaction should fill a table, and had no rows for it.
    is_clean: all that ran on it were SELECTs, each to its end: nothing of them is left on it.
    plans: those that it keeps; None: none. encoders: those that its short results leave.
    statements: those that it has parsed.
    """

    connection: duckdb.DuckDBPyConnection
    time_zone: str = "UTC"
    in_transaction: bool = False
    has_failed: bool = False
    has_inserted_nothing: bool = False
    is_clean: bool = True
    plans: KeptPlans | None = None
    encoders: KeptEncoders = field(default_factory=KeptEncoders)
    statements: KeptStatements = field(default_factory=KeptStatements)

    def set_time_zone(self, time_zone: str) -> None:
        """SET TimeZone if it differs: how timestamptz is computed with, and shown. Blocking."""
        if time_zone == self.time_zone:
            return
        quoted = time_zone.replace("'", "''")
        self.connection.execute(f"SET TimeZone = '{quoted}'")
        self.time_zone = time_zone

    def track_progress(self) -> None:
        """Have DuckDB keep count of how far a statement is, and print nothing. Blocking."""
        self.connection.execute("SET enable_progress_bar_print = false")
        self.connection.execute("SET enable_progress_bar = true")

    def translate(self, error: Exception) -> GatewayError:
        """Translate, and remember that the transaction has failed."""
        translated = translate_error(error, in_failed_transaction=self.has_failed)
        self.has_failed = self.in_transaction
        return translated
