"""Why policy refuses a statement: a closed list, the same words in metrics and in the log."""

from enum import StrEnum


class DenialRule(StrEnum):
    """The rule that a refused statement broke. What a statement may not even see is an error, not a denial.

    statement: its kind, or something in it, is on no allow-list. table_privilege: no such privilege on the
    table, or on its columns. read_only_catalog: its catalog is attached to be read. schema_privilege: no
    right to create there. masked_column: a column is written that the role reads masked. server_file: COPY
    of a file or a program of the server. database: no CONNECT, or none by this credential. setting: a
    parameter, a role or an identity that is not the role's to set. administration: only administrators may.
    unresolved: a relation that the planner did not bind. engine: refused where it ran: a signal to another's
    session, or what the sandbox does not do.
    """

    STATEMENT = "statement"
    TABLE_PRIVILEGE = "table_privilege"
    READ_ONLY_CATALOG = "read_only_catalog"
    SCHEMA_PRIVILEGE = "schema_privilege"
    MASKED_COLUMN = "masked_column"
    SERVER_FILE = "server_file"
    DATABASE = "database"
    SETTING = "setting"
    ADMINISTRATION = "administration"
    UNRESOLVED = "unresolved"
    ENGINE = "engine"
