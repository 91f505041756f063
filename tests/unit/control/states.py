"""States of the control plane for tests: one by hand, and Hypothesis' idea of any."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from pgproxy.control.api_keys import ApiKey, Interface, digest_key
from pgproxy.control.fleet import (
    Assignment,
    CatalogKind,
    CatalogSource,
    Endpoint,
    EndpointState,
    Fallback,
)
from pgproxy.control.hba import parse_rule
from pgproxy.control.rollouts import Rollout, RolloutLimits, RolloutStatus, RolloutUnit
from pgproxy.control.state import ControlState, merge_grants
from pgproxy.policy.model import (
    ColumnMask,
    CredentialScope,
    Grant,
    PolicyCommand,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    StoredFunction,
    TableName,
)

CUSTOMERS = TableName("demo", "sales", "customers")
VERIFIER = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
"""Made from the password `pencil` (RFC 7677)."""


KEY = ApiKey(
    "abcdefghijklmnop",
    "ann",
    "dashboard",
    digest_key("pgk_abcdefghijklmnop_" + 43 * "x"),
    VERIFIER,
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2099, 1, 1, tzinfo=UTC),
    CredentialScope(is_read_only=True, catalogs=frozenset({"demo", "other"})),
    frozenset({Interface.POSTGRES}),
)
EVERYBODY = parse_rule("host all all all scram-sha-256")


def user(name: str, *groups: str, **more: object) -> Principal:
    return Principal(name, PrincipalKind.USER, member_of=frozenset(groups), **more)


def group(name: str, *groups: str, **more: object) -> Principal:
    return Principal(name, PrincipalKind.GROUP, can_login=False, member_of=frozenset(groups), **more)


TAX = StoredFunction(
    TableName("demo", "sales", "tax"), (("amount", "numeric(12, 2)"), ("", "double precision")),
    "numeric", "amount * $2", True, "i",
)  # fmt: skip
GREET = StoredFunction(TableName("demo", "public", "greet"), (), "text", "'hello ' || current_user")


def sample_state() -> ControlState:
    """An administrator, an analyst in a group with a grant, a filter and a mask, one assigned endpoint."""
    return ControlState(
        principals={
            p.name: p
            for p in (
                user("root", is_admin=True),
                user("ann", "team", attributes={"tenant": "a"}),
                group("team"),
                group("rest"),
            )
        },
        verifiers={"root": VERIFIER, "ann": VERIFIER},
        grants=frozenset(
            {
                Grant("team", Privilege.SELECT, "demo", "sales", "customers"),
                Grant("team", Privilege.EXECUTE, "demo", "sales", "tax"),
                Grant("team", Privilege.EXECUTE, "demo", "public"),
            }
        ),
        row_filters={
            (CUSTOMERS, "eu"): RowFilter("eu", CUSTOMERS, "region = 'EU'", frozenset({"team"})),
        },
        column_masks={
            (CUSTOMERS, "hide"): ColumnMask(
                "hide", CUSTOMERS, "email", "NULL", frozenset({"team"}), frozenset({"root"})
            )
        },
        endpoints={"node": Endpoint("node", "grpc://h:1", "token")},
        assignments={("team", "node"): Assignment("team", "node")},
        closed_databases=frozenset({"demo", "Odd Name"}),
        functions={TAX.name: TAX, GREET.name: GREET},
        catalogs={
            "lake": CatalogSource(
                "lake",
                CatalogKind.DUCKLAKE,
                "postgres:dbname=lake",
                False,
                {"data_path": "/lake"},
                {"password": "s3cret-of-lake"},
            )
        },
        api_keys={KEY.key_id: KEY},
        hba_rules=(parse_rule("hostssl all +team 10.0.0.0/8 password accept=api_key"), EVERYBODY),
    )


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5)

_ROLLOUTS = st.builds(
    Rollout,
    _TEXTS,
    _TEXTS,
    st.lists(st.floats(0.1, 100), min_size=1, max_size=3).map(tuple),
    st.floats(0, 1e6),
    st.builds(RolloutLimits, st.integers(1, 9), st.floats(0, 1), st.floats(0.1, 9), st.integers(0, 9)),
    st.sampled_from(RolloutUnit),
    st.just(0),
    st.sampled_from(RolloutStatus),
    st.floats(0, 2e9),
    _TEXTS,
)


def _row_filter(
    name: str,
    table: TableName,
    text: str,
    principals: frozenset[str],
    restrictive: bool,
    check: str,
    command: PolicyCommand,
) -> RowFilter:
    """With the expressions that its command has."""
    using = ("true" if restrictive else "false") if command is PolicyCommand.INSERT else text
    checked = None if command in (PolicyCommand.SELECT, PolicyCommand.DELETE) else check
    return RowFilter(name, table, using, principals, restrictive, checked, command)


@st.composite
def control_states(draw: st.DrawFn) -> ControlState:
    """Any state whose references hold."""
    names = draw(st.lists(_TEXTS, unique=True, min_size=1, max_size=4))
    some = st.frozensets(st.sampled_from(names), max_size=3)
    one = st.sampled_from(names)
    table = st.builds(TableName, _TEXTS, _TEXTS, _TEXTS)
    kinds = {name: draw(st.sampled_from(PrincipalKind)) for name in names}
    groups = [name for name in names if kinds[name] is PrincipalKind.GROUP]
    principals = {
        name: Principal(
            name,
            kinds[name],
            is_admin=draw(st.booleans()),
            can_login=kinds[name] is PrincipalKind.USER and draw(st.booleans()),
            member_of=frozenset(draw(st.frozensets(st.sampled_from(groups))) if groups else ()),
            attributes=draw(st.dictionaries(_TEXTS, st.text("ab"), max_size=2)),
        )
        for name in names
    }
    users = [name for name in names if kinds[name] is PrincipalKind.USER]
    grants = st.builds(
        lambda to, privilege, on, depth, columns: Grant(
            to, privilege, *on[: depth + 1], columns=columns if depth == 2 else None
        ),
        one,
        st.sampled_from(Privilege),
        table,
        st.integers(0, 2),
        st.none() | st.frozensets(_TEXTS, min_size=1, max_size=2),
    )
    filters = st.builds(
        _row_filter, _TEXTS, table, _TEXTS, some, st.booleans(), _TEXTS, st.sampled_from(PolicyCommand)
    )
    masks = st.builds(ColumnMask, _TEXTS, table, _TEXTS, _TEXTS, some, some, st.integers(-9, 9))
    labels = st.dictionaries(_TEXTS, _TEXTS, max_size=2)
    size, capacity = st.just("") | _TEXTS, st.integers(0, 9)
    states = st.sampled_from(EndpointState)
    endpoints = st.builds(Endpoint, _TEXTS, _TEXTS, _TEXTS, states, labels, size, capacity)
    sources = st.builds(
        CatalogSource, _TEXTS, st.sampled_from(CatalogKind), _TEXTS, st.booleans(), labels, labels
    )
    nodes = {e.name: e for e in draw(st.lists(endpoints, max_size=2))}
    bound = st.builds(
        Assignment,
        one,
        st.sampled_from([*sorted(nodes), "zone=eu"]),
        st.integers(0, 9),
        st.sampled_from(Fallback),
        st.integers(1, 9),
        st.integers(0, 100),
    )
    return ControlState(
        principals=principals,
        verifiers={name: draw(_TEXTS) for name in users if draw(st.booleans())},
        grants=merge_grants(draw(st.lists(grants, max_size=4))),
        row_filters={(f.table, f.name): f for f in draw(st.lists(filters, max_size=2))},
        column_masks={(m.table, m.name): m for m in draw(st.lists(masks, max_size=2))},
        endpoints=nodes,
        assignments={(a.principal, a.endpoint): a for a in draw(st.lists(bound, max_size=2))},
        catalogs={c.name: c for c in draw(st.lists(sources, max_size=2))},
        flags=draw(st.dictionaries(_TEXTS, st.text("ab"), max_size=2)),
        rollouts={r.name: r for r in draw(st.lists(_ROLLOUTS, max_size=2))},
    )
