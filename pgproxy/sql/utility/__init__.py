"""Utility statements: what the gateway answers itself. Pure; text in, frozen values out."""

from pgproxy.sql.utility.parse import parse_utility
from pgproxy.sql.utility.split import split_statements
from pgproxy.sql.utility.statements import StatementText, UtilityStatement

__all__ = ["StatementText", "UtilityStatement", "parse_utility", "split_statements"]
