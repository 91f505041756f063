"""A statement that was parsed and planned: what protocol Parse and SQL PREPARE keep."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from pgproxy.sql.plan import Plan
from pgproxy.sql.utility import UtilityStatement
from pgproxy.sql.utility.query_calls import QueryCall
from pgwire.backend import FieldDescription
from pgwire.types import ResultColumn


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """The text is kept: after a policy or catalog change it is planned again before its next execution.

    declared_oids: as in Parse, 0 or absent where inferred. utility: set for statements that no engine runs;
    plan: set for the others; neither: the empty query. columns: None where the statement returns no rows.
    inner: the query of DECLARE CURSOR, whose parameters are the statement's. planned_for: the policy, the
    catalog and the settings that the plan holds for. source: the text of the PREPARE or DECLARE that made it,
    where the protocol did not. made_at: when. call: what the gateway itself answers instead of an engine.
    """

    text: str
    declared_oids: tuple[int, ...]
    utility: UtilityStatement | None = None
    plan: Plan | None = None
    columns: tuple[ResultColumn, ...] | None = None
    planned_for: tuple[object, ...] = ()
    inner: "PreparedQuery | None" = None
    source: str | None = None
    call: QueryCall | None = None
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    shapes: dict[tuple[int, ...], tuple[FieldDescription, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """The fields of the rows by the formats that were asked for; made when first asked."""

    @property
    def is_empty(self) -> bool:
        """Whether the text holds no statement."""
        return self.utility is None and self.plan is None

    @property
    def parameter_oids(self) -> tuple[int, ...]:
        """One per parameter, inferred ones included."""
        if self.inner is not None:
            return self.inner.parameter_oids
        return self.plan.parameter_oids if self.plan is not None else ()
