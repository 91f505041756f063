"""Transaction control. PostgreSQL docs, BEGIN, START TRANSACTION, COMMIT, ROLLBACK, SAVEPOINT, RELEASE."""

from dataclasses import replace

from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.statements import (
    Begin,
    Commit,
    IsolationLevel,
    ReleaseSavepoint,
    Rollback,
    RollbackTo,
    Savepoint,
    TransactionModes,
    UtilityStatement,
)
from pgwire.errors import FeatureNotSupported

_LEVELS = {
    "uncommitted": IsolationLevel.READ_UNCOMMITTED,
    "committed": IsolationLevel.READ_COMMITTED,
    "read": IsolationLevel.REPEATABLE_READ,
    "serializable": IsolationLevel.SERIALIZABLE,
}
_TWO_PHASE_HINT = "Two-phase commit is not available here; use COMMIT."


def parse_begin(reader: TokenReader) -> UtilityStatement:
    """Take what follows BEGIN."""
    reader.accept_any("work", "transaction")
    return Begin(_optional_modes(reader))


def parse_start(reader: TokenReader) -> UtilityStatement:
    """Take what follows START."""
    reader.expect("transaction")
    return Begin(_optional_modes(reader), is_start=True)


def parse_commit(reader: TokenReader) -> UtilityStatement:
    """Take what follows COMMIT."""
    _refuse_two_phase(reader, "COMMIT PREPARED")
    return parse_end(reader)


def parse_end(reader: TokenReader) -> UtilityStatement:
    """Take what follows END, or COMMIT."""
    reader.accept_any("work", "transaction")
    return Commit(_chain(reader))


def parse_rollback(reader: TokenReader) -> UtilityStatement:
    """Take what follows ROLLBACK."""
    _refuse_two_phase(reader, "ROLLBACK PREPARED")
    reader.accept_any("work", "transaction")
    if reader.accept("to"):
        return RollbackTo(_savepoint_name(reader))
    return Rollback(_chain(reader))


def parse_abort(reader: TokenReader) -> UtilityStatement:
    """Take what follows ABORT."""
    reader.accept_any("work", "transaction")
    return Rollback(_chain(reader))


def parse_savepoint(reader: TokenReader) -> UtilityStatement:
    """Take what follows SAVEPOINT."""
    return Savepoint(reader.name())


def parse_release(reader: TokenReader) -> UtilityStatement:
    """Take what follows RELEASE."""
    return ReleaseSavepoint(_savepoint_name(reader))


def parse_prepare_transaction(reader: TokenReader) -> UtilityStatement:
    """Take PREPARE TRANSACTION's name, to refuse it properly."""
    reader.string()
    reader.expect_end()
    raise FeatureNotSupported("PREPARE TRANSACTION is not supported", hint=_TWO_PHASE_HINT)


def parse_modes(reader: TokenReader) -> TransactionModes:
    """Take one or more transaction modes; commas between them are optional, and a later one wins."""
    modes = _one_mode(reader, TransactionModes())
    while reader.current is not None:
        reader.accept_symbol(",")
        modes = _one_mode(reader, modes)
    return modes


def parse_isolation_level(reader: TokenReader) -> IsolationLevel:
    """Take an `iso_level`."""
    if reader.accept("read"):
        word = reader.accept_any("committed", "uncommitted")
    elif reader.accept("repeatable"):
        word = reader.accept_any("read")
    else:
        word = reader.accept_any("serializable")
    if word is None:
        raise reader.error()
    return _LEVELS[word]


def _optional_modes(reader: TokenReader) -> TransactionModes:
    return TransactionModes() if reader.current is None else parse_modes(reader)


def _one_mode(reader: TokenReader, modes: TransactionModes) -> TransactionModes:
    if reader.accept("isolation"):
        reader.expect("level")
        return replace(modes, isolation=parse_isolation_level(reader))
    if reader.accept("read"):
        access = reader.accept_any("only", "write")
        if access is None:
            raise reader.error()
        return replace(modes, read_only=access == "only")
    is_deferrable = not reader.accept("not")
    reader.expect("deferrable")
    return replace(modes, deferrable=is_deferrable)


def _chain(reader: TokenReader) -> bool:
    if not reader.accept("and"):
        return False
    is_chained = not reader.accept("no")
    reader.expect("chain")
    return is_chained


def _savepoint_name(reader: TokenReader) -> str:
    """SAVEPOINT is optional, and is a name itself where nothing follows it."""
    if reader.is_word("savepoint") and reader.ahead(1) is not None:
        reader.advance()
    return reader.name()


def _refuse_two_phase(reader: TokenReader, command: str) -> None:
    if reader.accept("prepared"):
        reader.string()
        reader.expect_end()
        raise FeatureNotSupported(f"{command} is not supported", hint=_TWO_PHASE_HINT)
