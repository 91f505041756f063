"""Utility statements that change only the session: settings, transaction control, DISCARD, LISTEN.

PostgreSQL docs, Part VI, "SQL Commands". What needs rows of a plan (EXECUTE, FETCH, COPY, EXPLAIN) is in
sql_session.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from pgproxy.policy.denial import DenialRule
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.setting_rows import shown_settings
from pgproxy.session.settings import SessionSettings, shown_name
from pgproxy.session.transaction import Transaction
from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility import statements as u
from pgwire.backend import FieldDescription, NoticeResponse
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.session.status import TransactionStatus
from pgwire.sqlstate import SqlState
from pgwire.types import Oid

_TEXT_OID = 25


@dataclass(frozen=True, slots=True)
class UtilityResult:
    """What a utility statement answers. rows: text values, for the few that have any."""

    tag: str
    columns: tuple[FieldDescription, ...] | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    notices: tuple[NoticeResponse, ...] = ()
    transaction_ended: bool = False


def text_field(name: str) -> FieldDescription:
    """Give the description of a text column made by the gateway."""
    return FieldDescription(name, 0, 0, _TEXT_OID, -1, -1, 0)


def utility_columns(statement: u.UtilityStatement) -> tuple[FieldDescription, ...] | None:
    """Give the shape of what a utility statement returns, or None."""
    match statement:
        case u.ShowVariable(name=None):
            return (text_field("name"), text_field("setting"), text_field("description"))
        case u.ShowVariable(name=str(name)):
            return (text_field(shown_name(name)),)
        case u.Explain():
            kind = Oid.JSON if statement.format == "json" else Oid.TEXT
            return (replace(text_field("QUERY PLAN"), type_oid=int(kind)),)
        case a.CreateApiKey():
            return (text_field("key_id"), text_field("api_key"))
        case _:
            return None


class BlockEnds(Protocol):
    """What ends transactions: `Blocks`, seen from here."""

    @property
    def transaction(self) -> Transaction:
        """The session's transaction."""
        ...

    async def end(self, *, is_commit: bool) -> None:
        """Commit or roll back."""
        ...


class UtilityRunner:
    """Runs the utility statements of one session."""

    def __init__(self, planner: StatementPlanner, settings: SessionSettings, blocks: BlockEnds) -> None:
        self._planner = planner
        self._settings = settings
        self._blocks = blocks
        self._transaction = blocks.transaction

    async def run(self, statement: u.UtilityStatement) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind."""
        match statement:
            case (
                u.Begin() | u.Commit() | u.Rollback() | u.Savepoint() | u.ReleaseSavepoint() | u.RollbackTo()
            ):
                return await self._transaction_control(statement)
            case u.SetVariable():
                return self._set(statement)
            case u.SetTransaction():
                return self._set_transaction(statement)
            case u.ResetVariable():
                return self._reset(statement.name)
            case u.ShowVariable():
                return self._show(statement)
            case u.NoOp():
                if statement.tag == "LOCK TABLE":
                    self._require_block("LOCK TABLE")
                if statement.needs_admin and not self._is_admin:
                    raise AccessDenied(
                        f"permission denied to execute {statement.tag}", rule=DenialRule.ADMINISTRATION
                    )
                return UtilityResult(statement.tag)
            case _:
                return None

    @property
    def _is_admin(self) -> bool:
        return self._planner.policy.is_admin

    async def _transaction_control(self, statement: u.UtilityStatement) -> UtilityResult:
        match statement:
            case u.Begin():
                return self._begin(statement)
            case u.Commit():
                return await self.end_block(is_commit=True, chain=statement.chain)
            case u.Rollback():
                return await self.end_block(is_commit=False, chain=statement.chain)
            case u.Savepoint():
                self._require_block("SAVEPOINT")
                self._transaction.savepoint(statement.name)
                return UtilityResult("SAVEPOINT")
            case u.ReleaseSavepoint():
                self._require_block("RELEASE SAVEPOINT")
                self._transaction.release(statement.name)
                return UtilityResult("RELEASE")
            case u.RollbackTo():
                self._require_block("ROLLBACK TO SAVEPOINT")
                self._transaction.rollback_to(statement.name)
                return UtilityResult("ROLLBACK")
            case _:
                raise FeatureNotSupported("this transaction statement is not supported")

    def _begin(self, statement: u.Begin) -> UtilityResult:
        tag = "START TRANSACTION" if statement.is_start else "BEGIN"
        if self._transaction.is_open and not self._transaction.is_implicit:
            return UtilityResult(
                tag,
                notices=(
                    _warning("there is already a transaction in progress", SqlState.ACTIVE_SQL_TRANSACTION),
                ),
            )
        self._open_block()
        self._apply_modes(statement.modes)
        return UtilityResult(tag)

    def _open_block(self) -> None:
        self._settings.begin_block()
        for name in ("isolation", "read_only", "deferrable"):
            self._settings.set(
                f"transaction_{name}", self._settings.show(f"default_transaction_{name}"), is_local=True
            )
        self._transaction.begin(
            is_implicit=False,
            is_read_only=self._settings.show("default_transaction_read_only") == "on",
            isolation=self._settings.show("default_transaction_isolation"),
        )

    def _apply_modes(self, modes: u.TransactionModes) -> None:
        if modes.isolation is not None:
            self._transaction.isolation = modes.isolation.value
            self._settings.set("transaction_isolation", modes.isolation.value, is_local=True)
        if modes.read_only is not None:
            self._transaction.is_read_only = modes.read_only
            self._settings.set("transaction_read_only", _on_off(modes.read_only), is_local=True)
        if modes.deferrable is not None:
            self._settings.set("transaction_deferrable", _on_off(modes.deferrable), is_local=True)

    async def end_block(self, *, is_commit: bool, chain: bool = False) -> UtilityResult:
        """COMMIT or ROLLBACK. A COMMIT of a failed block rolls back, and says so in its tag."""
        transaction = self._transaction
        tag = "COMMIT" if is_commit else "ROLLBACK"
        if not transaction.is_open or transaction.is_implicit:
            if chain:
                raise StatementError(
                    f"{tag} AND CHAIN can only be used in transaction blocks",
                    sqlstate=SqlState.NO_ACTIVE_SQL_TRANSACTION,
                )
            await self._blocks.end(is_commit=is_commit)
            warning = _warning("there is no transaction in progress", SqlState.NO_ACTIVE_SQL_TRANSACTION)
            return UtilityResult(tag, notices=(warning,), transaction_ended=True)
        is_commit = is_commit and not transaction.is_failed
        modes = u.TransactionModes(u.IsolationLevel(transaction.isolation), transaction.is_read_only)
        await self._blocks.end(is_commit=is_commit)
        if chain:
            self._open_block()
            self._apply_modes(modes)
        return UtilityResult("COMMIT" if is_commit else "ROLLBACK", transaction_ended=True)

    def _require_block(self, what: str) -> None:
        is_implicit = self._transaction.is_implicit and what != "LOCK TABLE"
        if not self._transaction.allows_cursors or is_implicit:
            raise StatementError(
                f"{what} can only be used in transaction blocks", sqlstate=SqlState.NO_ACTIVE_SQL_TRANSACTION
            )

    def _set(self, statement: u.SetVariable) -> UtilityResult:
        if statement.name in ("role", "session_authorization"):
            self._set_identity(statement)
            return UtilityResult("SET")
        is_local = statement.scope is u.SettingScope.LOCAL
        notices: tuple[NoticeResponse, ...] = ()
        if is_local and not self._transaction.allows_cursors:
            message = "SET LOCAL can only be used in transaction blocks"
            return UtilityResult("SET", notices=(_warning(message, SqlState.NO_ACTIVE_SQL_TRANSACTION),))
        if statement.is_default:
            self._settings.reset(statement.name, is_local=is_local, is_admin=self._is_admin)
        else:
            value = _joined(statement)
            self._settings.set(statement.name, value, is_local=is_local, is_admin=self._is_admin)
            self._follow_transaction_setting(statement.name)
        return UtilityResult("SET", notices=notices)

    def _set_identity(self, statement: u.SetVariable) -> None:
        if not statement.is_default:
            self._settings.set(statement.name, statement.values[0])

    def _follow_transaction_setting(self, name: str) -> None:
        """`SET transaction_read_only` acts on the open block like SET TRANSACTION."""
        if name == "transaction_read_only":
            self._transaction.is_read_only = self._settings.show(name) == "on"
        if name == "transaction_isolation":
            self._transaction.isolation = self._settings.show(name)

    def _set_transaction(self, statement: u.SetTransaction) -> UtilityResult:
        if not statement.is_session:
            if not self._transaction.allows_cursors:
                message = "SET TRANSACTION can only be used in transaction blocks"
                return UtilityResult("SET", notices=(_warning(message, SqlState.NO_ACTIVE_SQL_TRANSACTION),))
            self._apply_modes(statement.modes)
            return UtilityResult("SET")
        modes = statement.modes
        if modes.isolation is not None:
            self._settings.set("default_transaction_isolation", modes.isolation.value)
        if modes.read_only is not None:
            self._settings.set("default_transaction_read_only", _on_off(modes.read_only))
        if modes.deferrable is not None:
            self._settings.set("default_transaction_deferrable", _on_off(modes.deferrable))
        return UtilityResult("SET")

    def _reset(self, name: str | None) -> UtilityResult:
        if name is None:
            self._settings.reset_all()
        elif name not in ("role", "session_authorization"):
            self._settings.reset(name, is_admin=self._is_admin)
        return UtilityResult("RESET")

    def _show(self, statement: u.ShowVariable) -> UtilityResult:
        if statement.name is None:
            return UtilityResult("SHOW", utility_columns(statement), tuple(shown_settings(self._settings)))
        return UtilityResult("SHOW", utility_columns(statement), ((self._settings.show(statement.name),),))


def _joined(statement: u.SetVariable) -> str:
    if statement.name == "search_path":
        return ", ".join(_quoted(value) for value in statement.values)
    return ", ".join(statement.values)


def _quoted(name: str) -> str:
    is_plain = name.replace("_", "a").isalnum() and name == name.lower() and not name[:1].isdigit()
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def _on_off(flag: bool) -> str:
    return "on" if flag else "off"


def _warning(message: str, sqlstate: SqlState) -> NoticeResponse:
    return NoticeResponse(severity="WARNING", sqlstate=sqlstate, message=message)


def status_after(transaction: Transaction) -> TransactionStatus:
    """Give what ReadyForQuery says: an implicit block is not shown."""
    return TransactionStatus.IDLE if transaction.is_implicit else transaction.status
