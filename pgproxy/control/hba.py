"""Who may come from where, and how they must prove who they are: pg_hba.conf's rules, in order. Pure.

The syntax is PostgreSQL's (docs, "The pg_hba.conf File"), one rule a line. There are no Unix sockets here, so
`local` means a connection from this machine. What could weaken a rule if it were guessed at is refused.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

ALL = "all"
_KEYWORDS = frozenset({ALL, "sameuser", "samerole", "samegroup", "replication"})
_TOKEN = re.compile(r'\s*(?:(#.*)|(,)|((?:"(?:[^"]|"")*"|[^\s,"#])+))')
_IS_PLAIN = re.compile(r"[^\s,\"#+/@][^\s,\"#]*")


class ConnectionType(StrEnum):
    """The first column."""

    LOCAL = "local"
    HOST = "host"
    HOSTSSL = "hostssl"
    HOSTNOSSL = "hostnossl"


class HbaMethod(StrEnum):
    """How a client proves who it is.

    scram-sha-256-plus: only bound to the TLS channel. password: an API key, a JWT or the password itself,
    inside TLS.
    """

    SCRAM = "scram-sha-256"
    SCRAM_PLUS = "scram-sha-256-plus"
    PASSWORD = "password"  # noqa: S105  # PostgreSQL's name of the method
    CERT = "cert"
    REJECT = "reject"


_NEEDS_TLS = frozenset({HbaMethod.SCRAM_PLUS, HbaMethod.PASSWORD, HbaMethod.CERT})
SECRET_KINDS = frozenset({"password", "api_key", "jwt"})
"""What the method `password` accepts; its option `accept` names fewer."""

_OPTIONS: Mapping[HbaMethod, Mapping[str, frozenset[str]]] = {
    HbaMethod.SCRAM: {"clientcert": frozenset({"verify-ca", "verify-full", "sufficient"})},
    HbaMethod.SCRAM_PLUS: {"clientcert": frozenset({"verify-ca", "verify-full"})},
    HbaMethod.PASSWORD: {"clientcert": frozenset({"verify-ca", "verify-full"}), "accept": SECRET_KINDS},
    HbaMethod.CERT: {"clientcert": frozenset({"verify-full"})},
    HbaMethod.REJECT: {},
}


class HbaSyntaxError(ValueError):
    """A line is no rule. The text is for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class HbaName:
    """A database or role in a rule. is_literal: a keyword in quotes, so a name. is_group: +name."""

    text: str
    is_literal: bool = False
    is_group: bool = False

    @property
    def keyword(self) -> str | None:
        """The special meaning that the name has, if any."""
        return self.text if self.text in _KEYWORDS and not self.is_literal and not self.is_group else None

    def __str__(self) -> str:
        is_plain = _IS_PLAIN.fullmatch(self.text) and not (self.text in _KEYWORDS and self.is_literal)
        text = self.text if is_plain else '"' + self.text.replace('"', '""') + '"'
        return f"+{text}" if self.is_group else text


@dataclass(frozen=True, slots=True)
class HbaRule:
    """One rule. network None: any address. options: clientcert, accept; in the order of their names."""

    connection: ConnectionType
    databases: tuple[HbaName, ...]
    users: tuple[HbaName, ...]
    network: Network | None
    method: HbaMethod
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        columns = [self.connection.value, _names_text(self.databases), _names_text(self.users)]
        if self.connection is not ConnectionType.LOCAL:
            columns.append(ALL if self.network is None else str(self.network))
        columns.append(self.method.value)
        return " ".join([*columns, *(f"{name}={value}" for name, value in sorted(self.options.items()))])

    @property
    def accepted_secrets(self) -> frozenset[str]:
        """What the method `password` takes here."""
        accept = self.options.get("accept")
        return SECRET_KINDS if accept is None else frozenset(accept.split(","))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks to come in: what rules look at. groups: transitive. database: None matches only `all`."""

    user: str
    groups: frozenset[str]
    database: str | None
    address: str
    is_tls: bool


def first_match(rules: Iterable[HbaRule], caller: Caller) -> HbaRule | None:
    """Give the first rule that speaks of this caller; None: nobody lets it in."""
    address = parse_address(caller.address)
    return next((rule for rule in rules if _matches(rule, caller, address)), None)


def _matches(rule: HbaRule, caller: Caller, address: _Address | None) -> bool:
    match rule.connection:
        case ConnectionType.LOCAL:
            is_here = address is None or address.is_loopback
        case ConnectionType.HOSTSSL:
            is_here = caller.is_tls
        case ConnectionType.HOSTNOSSL:
            is_here = not caller.is_tls
        case ConnectionType.HOST:
            is_here = True
    if rule.network is not None:
        is_here = is_here and address is not None and address in rule.network
    return (
        is_here
        and any(_is_database(name, caller) for name in rule.databases)
        and any(_is_user(name, caller) for name in rule.users)
    )


def _is_database(name: HbaName, caller: Caller) -> bool:
    match name.keyword:
        case None:
            return caller.database is not None and caller.database == name.text
        case "all":
            return True
        case "sameuser":
            return caller.database == caller.user
        case "samerole" | "samegroup":
            return caller.database is not None and caller.database in caller.groups | {caller.user}
        case _:
            return False  # replication: there is none


def _is_user(name: HbaName, caller: Caller) -> bool:
    if name.is_group:
        return name.text in caller.groups or name.text == caller.user
    return name.keyword == ALL or (name.keyword is None and name.text == caller.user)


def parse_address(text: str) -> _Address | None:
    """Read a peer's address, an IPv4 one inside IPv6 as itself; None: none, so no network has it."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def parse_rule(line: str) -> HbaRule:
    """Read one line.

    Raises:
        HbaSyntaxError: it is empty, or is no rule of ours; the text says why.
    """
    fields = _fields(line)
    if not fields:
        raise HbaSyntaxError("the line holds no rule")
    connection = _one_of(ConnectionType, _single(fields[0], "type"), "connection type")
    needed = 4 if connection is ConnectionType.LOCAL else 5
    if len(fields) < needed:
        raise HbaSyntaxError(
            "a rule is: TYPE DATABASE USER ADDRESS METHOD [OPTIONS], without ADDRESS if local"
        )
    network, rest = None, fields[3:]
    if connection is not ConnectionType.LOCAL:
        network, rest = _network(rest)
    if not rest:
        raise HbaSyntaxError("the rule ends before its method")
    method = _one_of(HbaMethod, _single(rest[0], "method"), "authentication method")
    options = _options(rest[1:], method)
    if connection is not ConnectionType.HOSTSSL and (
        method in _NEEDS_TLS or options.get("clientcert", "sufficient") != "sufficient"
    ):
        raise HbaSyntaxError(f"method {method.value} with these options is only for hostssl rules")
    databases = tuple(_database(name) for name in fields[1])
    return HbaRule(connection, databases, tuple(map(_user, fields[2])), network, method, options)


def parse_rules(text: str) -> tuple[HbaRule, ...]:
    """Read a file: rules, comments and empty lines.

    Raises:
        HbaSyntaxError: naming the line.
    """
    found: list[HbaRule] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found.append(parse_rule(line))
        except HbaSyntaxError as error:
            raise HbaSyntaxError(f"line {number}: {error}") from None
    return tuple(found)


def _fields(line: str) -> list[list[str]]:
    """Split into columns, each a list of its comma-separated parts, with their quotes."""
    fields: list[list[str]] = []
    place, goes_on = 0, False
    line = line.rstrip()
    while place < len(line):
        token = _TOKEN.match(line, place)
        if token is None:
            raise HbaSyntaxError("a quote is not closed")
        place = token.end()
        comment, comma, word = token.groups()
        if comment is not None:
            break
        if comma is not None:
            if goes_on or not fields:
                raise HbaSyntaxError("a comma stands where a name should")
            goes_on = True
        elif goes_on:
            fields[-1].append(word)
            goes_on = False
        else:
            fields.append([word])
    if goes_on:
        raise HbaSyntaxError("the line ends with a comma")
    return fields


def _single(parts: Sequence[str], what: str) -> str:
    if len(parts) != 1:
        raise HbaSyntaxError(f"{what} is one word")
    return _unquoted(parts[0])


_Choice = type[ConnectionType] | type[HbaMethod]


def _one_of(kind: _Choice, word: str, what: str):  # type: ignore[no-untyped-def]  # of `kind`
    try:
        return kind(word)
    except ValueError:
        known = ", ".join(kind)
        raise HbaSyntaxError(f"no such {what}; there are {known}") from None


def _network(fields: list[list[str]]) -> tuple[Network | None, list[list[str]]]:
    """Take ADDRESS, or IP-ADDRESS and IP-MASK."""
    text = _single(fields[0], "address")
    if text == ALL:
        return None, fields[1:]
    try:
        if "/" in text:
            return ipaddress.ip_network(text, strict=False), fields[1:]
        address = ipaddress.ip_address(text)
    except ValueError:
        raise HbaSyntaxError("an address is `all`, or IP/LENGTH; host names are not looked up") from None
    try:
        mask = _single(fields[1], "mask") if len(fields) > 1 else ""
        return ipaddress.ip_network(f"{address}/{mask}", strict=False), fields[2:]
    except ValueError:
        raise HbaSyntaxError("an address needs its length, as in 10.0.0.0/8, or a mask") from None


def _database(word: str) -> HbaName:
    if word.startswith(("/", "@", "+")):
        raise HbaSyntaxError("a database is `all`, `sameuser`, `samerole` or a name")
    return _name(word)


def _user(word: str) -> HbaName:
    if word.startswith(("/", "@")):
        raise HbaSyntaxError("regular expressions and files of names are not supported")
    is_group = word.startswith("+")
    name = _name(word.removeprefix("+"))
    if not name.text:
        raise HbaSyntaxError("a role name is empty")
    if is_group:
        return HbaName(name.text, is_group=True)
    return HbaName(name.text, is_literal=True) if name.keyword not in (None, ALL) else name


def _name(word: str) -> HbaName:
    text = _unquoted(word)
    return HbaName(text, is_literal='"' in word and text in _KEYWORDS)


def _options(fields: Iterable[list[str]], method: HbaMethod) -> dict[str, str]:
    found: dict[str, str] = {}
    for parts in fields:
        name, separator, first = _unquoted(parts[0]).partition("=")
        values = [value for value in (first, *map(_unquoted, parts[1:])) if value]
        allowed = _OPTIONS[method].get(name)
        if allowed is None or not separator or name in found:
            raise HbaSyntaxError(f"method {method.value} has no such option, or has it twice")
        if not values or not allowed.issuperset(values) or (name != "accept" and len(values) > 1):
            raise HbaSyntaxError(f"option {name} is one of {', '.join(sorted(allowed))}")
        found[name] = ",".join(sorted(set(values)))
    return found


def _unquoted(word: str) -> str:
    return re.sub(r'"((?:[^"]|"")*)"', lambda quoted: quoted[1].replace('""', '"'), word)


def _names_text(names: Iterable[HbaName]) -> str:
    return ",".join(map(str, names))
