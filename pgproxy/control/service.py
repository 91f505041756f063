"""The one way to change the control plane: SQL over the wire, policy files and the CLI all come through here.

Every method authorises the actor against the state that the change is applied to, inside its transaction, so
that an administrator who was just revoked changes nothing more. Each returns what changed; nothing changed
is no error.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from pgproxy.control import changes, fleet_changes
from pgproxy.control.api_keys import KeyDraft, KeyTerms
from pgproxy.control.duties import check_officers_change, holds_admin, may_administer
from pgproxy.control.expressions import ExpressionValidator, check_expression
from pgproxy.control.fleet import Assignment, Endpoint, EndpointState
from pgproxy.control.integrity import check_integrity
from pgproxy.control.metastore import ChangeResult, Metastore, Transform
from pgproxy.control.passwords import check_verifier, draft_api_key, make_verifier, matches_verifier
from pgproxy.control.state import ControlState
from pgproxy.control.undo import rolled_back
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import ColumnMask, Grant, Principal, PrincipalKind, RowFilter, TableName
from pgwire.auth.verifier import DEFAULT_ITERATIONS
from pgwire.errors import AccessDenied


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change.

    is_operator: whoever may read the metastore's file is trusted as its owner (the CLI).
    """

    name: str
    is_operator: bool = False


class ControlService:
    """Validates, authorises and applies changes.

    validate_expression: the planner's full binding of filter and mask expressions, called after the first
    gate; None: the first gate only.
    """

    def __init__(
        self,
        metastore: Metastore,
        *,
        validate_expression: ExpressionValidator | None = None,
        scram_iterations: int = DEFAULT_ITERATIONS,
    ) -> None:
        self.metastore = metastore
        self._bind_expression = validate_expression
        self._scram_iterations = scram_iterations

    async def bootstrap_admin(self, name: str, password: str) -> ChangeResult:
        """Make `name` an administrator who logs in with `password`. Run at every start; idempotent."""
        verifier = await self.verifier_to_store(name, password)

        def transform(state: ControlState) -> ControlState:
            known = state.principals.get(name)
            if known is None:
                state = changes.create_principal(state, Principal(name, PrincipalKind.USER, is_admin=True))
            else:
                changes.user_named(state, name)
                state = changes.alter_principal(state, replace(known, is_admin=True, can_login=True))
            return changes.set_verifier(state, name, verifier)

        return await self.apply(Actor("bootstrap", is_operator=True), transform)

    async def create_user(self, actor: Actor, user: Principal, password: str | None = None) -> ChangeResult:
        """CREATE USER. Raises: 42710."""
        verifier = None if password is None else await self.verifier_of(password)
        return await self.apply(actor, lambda state: changes.create_principal(state, user, verifier))

    async def create_group(
        self, actor: Actor, name: str, member_of: frozenset[str] = frozenset()
    ) -> ChangeResult:
        """CREATE GROUP. Raises: 42710."""
        group = Principal(name, PrincipalKind.GROUP, can_login=False, member_of=member_of)
        return await self.apply(actor, lambda state: changes.create_principal(state, group))

    async def alter_principal(
        self, actor: Actor, name: str, alter: Callable[[Principal], Principal]
    ) -> ChangeResult:
        """ALTER ROLE: `alter` is given the current definition. Raises: 42704."""
        return await self.apply(
            actor,
            lambda state: changes.alter_principal(state, alter(changes.principal_named(state, name))),
        )

    async def drop_principal(self, actor: Actor, name: str) -> ChangeResult:
        """DROP ROLE. Raises: 42704; 2BP01 while something names it."""
        return await self.apply(actor, lambda state: changes.drop_principal(state, name))

    async def set_password(self, actor: Actor, user: str, password: str | None) -> ChangeResult:
        """ALTER ROLE … PASSWORD, of anybody by an administrator, of oneself by anybody; None: no login.

        `password` may be a SCRAM verifier, as in PostgreSQL.
        """
        verifier = None if password is None else await self.verifier_of(password)
        return await self.apply(
            actor, lambda state: changes.set_verifier(state, user, verifier), may_be_self=user
        )

    async def create_api_key(self, actor: Actor, user: str, terms: KeyTerms) -> tuple[ChangeResult, str]:
        """Give a user an API key; its text is in the answer and nowhere else. Raises: 42704, 42809."""
        draft = await self.draft_api_key()
        key = draft.key_for(user, terms)
        return await self.apply(actor, lambda state: changes.add_api_key(state, key)), draft.text

    async def draft_api_key(self) -> KeyDraft:
        """Make a key that belongs to nobody yet."""
        return await draft_api_key(self._scram_iterations)

    async def set_login(self, actor: Actor, user: str, *, can_login: bool) -> ChangeResult:
        """Lock or unlock a user. Raises: 42704, 42809."""
        return await self.apply(
            actor,
            lambda state: changes.alter_principal(
                state, replace(changes.user_named(state, user), can_login=can_login)
            ),
        )

    async def set_attributes(self, actor: Actor, name: str, attributes: Mapping[str, str]) -> ChangeResult:
        """Replace a principal's attributes. Raises: 42704."""
        return await self.alter_principal(actor, name, lambda known: replace(known, attributes=attributes))

    async def add_member(self, actor: Actor, group: str, member: str) -> ChangeResult:
        """GRANT group TO member. Raises: 42704, 42809, 0LP01 for a loop."""
        return await self.apply(actor, lambda state: changes.add_member(state, group, member))

    async def remove_member(self, actor: Actor, group: str, member: str) -> ChangeResult:
        """REVOKE group FROM member. Raises: 42704, 42809."""
        return await self.apply(actor, lambda state: changes.remove_member(state, group, member))

    async def grant(self, actor: Actor, grants: Iterable[Grant]) -> ChangeResult:
        """GRANT … ON … TO …. Raises: 42704, 0LP01 for a privilege that the securable does not have."""
        given = tuple(grants)
        return await self.apply(actor, lambda state: changes.add_grants(state, given))

    async def revoke(self, actor: Actor, grants: Iterable[Grant]) -> ChangeResult:
        """REVOKE … ON … FROM …."""
        gone = tuple(grants)
        return await self.apply(actor, lambda state: changes.revoke_grants(state, gone))

    async def create_row_filter(self, actor: Actor, row_filter: RowFilter) -> ChangeResult:
        """CREATE POLICY. Raises: 42710, 42704."""
        return await self.apply(actor, lambda state: changes.create_row_filter(state, row_filter))

    async def alter_row_filter(self, actor: Actor, row_filter: RowFilter) -> ChangeResult:
        """ALTER POLICY. Raises: 42704."""
        return await self.apply(actor, lambda state: changes.alter_row_filter(state, row_filter))

    async def drop_row_filter(self, actor: Actor, table: TableName, name: str) -> ChangeResult:
        """DROP POLICY. Raises: 42704."""
        return await self.apply(actor, lambda state: changes.drop_row_filter(state, table, name))

    async def create_column_mask(self, actor: Actor, mask: ColumnMask) -> ChangeResult:
        """Add a column mask. Raises: 42710, 42704."""
        return await self.apply(actor, lambda state: changes.create_column_mask(state, mask))

    async def alter_column_mask(self, actor: Actor, mask: ColumnMask) -> ChangeResult:
        """Replace a column mask. Raises: 42704."""
        return await self.apply(actor, lambda state: changes.alter_column_mask(state, mask))

    async def drop_column_mask(self, actor: Actor, table: TableName, name: str) -> ChangeResult:
        """Remove a column mask. Raises: 42704."""
        return await self.apply(actor, lambda state: changes.drop_column_mask(state, table, name))

    async def add_endpoint(self, actor: Actor, endpoint: Endpoint) -> ChangeResult:
        """Add an endpoint, or revive a retired one. Raises: 42710."""
        return await self.apply(actor, lambda state: changes.add_endpoint(state, endpoint))

    async def set_endpoint_state(self, actor: Actor, name: str, to: EndpointState) -> ChangeResult:
        """Activate, drain or retire. Raises: 42704, 55000."""
        return await self.apply(actor, lambda state: fleet_changes.set_endpoint_state(state, name, to))

    async def set_endpoint_token(self, actor: Actor, name: str, token: str) -> ChangeResult:
        """Rotate the token. Raises: 42704."""
        return await self.apply(
            actor,
            lambda state: changes.alter_endpoint(
                state, replace(changes.endpoint_named(state, name), token=token)
            ),
        )

    async def assign(self, actor: Actor, assignment: Assignment, kind: PrincipalKind) -> ChangeResult:
        """Bind a principal of `kind` to an endpoint or pool. Raises: 42704, 42809."""
        lookup = changes.user_named if kind is PrincipalKind.USER else changes.group_named

        def transform(state: ControlState) -> ControlState:
            lookup(state, assignment.principal)
            return changes.assign(state, assignment)

        return await self.apply(actor, transform)

    async def unassign(self, actor: Actor, principal: str, endpoint: str) -> ChangeResult:
        """Undo `assign`. Raises: 42704."""
        return await self.apply(actor, lambda state: changes.unassign(state, principal, endpoint))

    async def roll_back(self, actor: Actor, version: int) -> ChangeResult:
        """Make roles and policies what they were after a version. Raises: 42704."""
        target = await self.metastore.state_at(version)
        return await self.apply(actor, lambda state: rolled_back(state, target))

    async def apply(
        self, actor: Actor, transform: Transform, *, may_be_self: str | None = None
    ) -> ChangeResult:
        """Apply any change: authorise, transform, check the whole, write.

        may_be_self: the user who may make this change without being an administrator.

        Raises:
            AccessDenied: the actor is no administrator now.
            GatewayError: what the change or the integrity check refuses.
        """
        return await self.metastore.change(
            actor.name, lambda state: self.checked(actor, state, transform, may_be_self)
        )

    def checked(
        self, actor: Actor, state: ControlState, transform: Transform, may_be_self: str | None = None
    ) -> ControlState:
        """Do all of `apply` but the writing; for dry runs too."""
        known = state.principals.get(actor.name)
        is_self = known is not None and known.can_login and may_be_self == actor.name
        is_trusted = actor.is_operator or is_self or holds_admin(state, actor.name)
        if not is_trusted and not may_administer(state, actor.name):
            raise AccessDenied("permission denied: must be an administrator", rule=DenialRule.ADMINISTRATION)
        after = transform(state)
        if not is_trusted:
            check_officers_change(state, after)
        check_integrity(state, after, self.validate_expression)
        return after

    async def verifier_to_store(self, user: str, password: str) -> str:
        """The stored verifier while it fits `password`, else a new one: applying twice changes nothing."""
        stored = (await self.metastore.state()).verifiers.get(user)
        if stored is not None and await matches_verifier(password, stored):
            return stored
        return await make_verifier(password, self._scram_iterations)

    async def verifier_of(self, password: str) -> str:
        """Make a verifier of a password; one that is a verifier already stays. Raises: 22023."""
        if password.startswith("SCRAM-SHA-256$"):
            return check_verifier(password)
        return await make_verifier(password, self._scram_iterations)

    def validate_expression(self, table: TableName, column: str | None, sql: str) -> None:
        """Check one filter or mask expression: an `ExpressionValidator`."""
        check_expression(sql, allow_subqueries=self._bind_expression is not None)
        if self._bind_expression is not None:
            self._bind_expression(table, column, sql)
