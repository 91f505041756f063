"""The policy that holds now: one PolicySet, and every principal's view of it, resolved once per epoch."""

from pgproxy.policy.effective import EffectivePolicy, PolicyIndex
from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope, PolicySet

_RESOLVED_LIMIT = 10_000


class CurrentPolicies:
    """Gives effective policies; replaced whole when the epoch moves. Used from one event loop."""

    def __init__(self, policy_set: PolicySet) -> None:
        self._index = PolicyIndex.build(policy_set)
        self._resolved: dict[tuple[str, CredentialScope], EffectivePolicy] = {}

    @property
    def policy_set(self) -> PolicySet:
        """What holds now."""
        return self._index.policy_set

    def replace(self, policy_set: PolicySet) -> None:
        """Let a newer epoch hold from the next statement on."""
        self._index = PolicyIndex.build(policy_set)
        self._resolved = {}

    def effective(self, principal: str, scope: CredentialScope = WHOLE_SCOPE) -> EffectivePolicy:
        """Resolve a principal's policy within a credential's scope; an unknown principal may do nothing."""
        found = self._resolved.get((principal, scope))
        if found is None:
            found = self._index.effective(principal, scope)
            if len(self._resolved) >= _RESOLVED_LIMIT:
                self._resolved.clear()
            self._resolved[principal, scope] = found
        return found
