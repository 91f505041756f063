"""A process that applies policy files one after the other until it is killed; run by the crash test.

Each version N consists of N users, N grants and one filter that all say N, so that half of one would show.
"""

import asyncio
import sys

import yaml

from pgproxy.control import open_metastore
from pgproxy.control.policy_file import apply_policy, parse_policy
from pgproxy.control.service import Actor, ControlService


def policy_text(number: int) -> str:
    """Give the policy file of version `number`."""
    users = {f"user{index}": {"attributes": {"version": str(number)}} for index in range(number % 7 + 1)}
    grants = [{"to": name, "privileges": ["SELECT"], "on": f"demo.v{number}.*"} for name in users]
    row_filter = {"name": "f", "on": "demo.sales.t", "using": f"version = {number}", "to": sorted(users)}
    return yaml.safe_dump({"users": users, "groups": {}, "grants": grants, "row_filters": [row_filter]})


async def write_versions(url: str, first: int, last: int) -> None:
    """Apply the versions from `first` to `last`, saying the number of each on stdout when it is committed."""
    async with open_metastore(url) as metastore:
        service = ControlService(metastore)
        for number in range(first, last + 1):
            result = await apply_policy(service, Actor("writer", True), parse_policy(policy_text(number)), {})
            print(number, result.epoch, flush=True)


if __name__ == "__main__":
    asyncio.run(write_versions(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
