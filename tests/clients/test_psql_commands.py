"""psql's backslash commands, typed as a person does: what it prints is what it prints on PostgreSQL 15."""

import os
import re
import subprocess

import pytest

from tests.clients.servers import Pair, Server

pytestmark = [pytest.mark.client("psql"), pytest.mark.feature("metadata")]

COMMANDS = r"""
\d
\d sales.orders
\d+ sales.orders
\dt
\dt *.ord*
\dt sales.*
\dv
\di sales.*
\ds
\df
\df pg_size_pretty
\df+ int4pl
\dfa sum
\da count
\do
\do =
\do+ + int4 int4
\dT
\dT int4
\dT+ bool
\dd
\dC int4
\dD
\db
\dy
\dX
\dew
\det
\des
\deu
\dF
\dFd simple
\dFp
\dFt
\dF+ simple
\dF+ english
\dL
\dA
\dAc btree int4
\dc utf8*
\dO
\dconfig work_mem
\drds
\ddp
\dRp
\dl
\dRp+
\dE
\dP
\dPi
\dfS int4pl
\dfn int4pl
\dfp
\dft
\dfw lag
\da+ count
\doS =
\dTS int4
\des+
\dew+
\det+
\deu+
\dy+
\dc+ utf8*
\dC+ int4
\dD+
\dO+
\dFt+
\dFd+ simple
\drds analyst
\dconfig+ work_mem
\ddp analyst
\dA+
\dAc+ btree int4
\dl+
\lo_list
\dLS
\dX+
\sf int4pl
\sf pg_table_is_visible
\sf+ pg_get_keywords
\d absent
SELECT 1 AS a, 'x'::text AS b, now() AS c \gdesc
""".strip().splitlines()
r"""Not here: `\dn`, `\du`, `\l`, `\dp`, `\dx` and sizes, where the gateway's own schema, roles, databases and
grants stand; `\dAo`, `\dAp` and ICU's collations, whose rows are not kept here."""


def printed(server: Server) -> dict[str, str]:
    """What each command printed; one psql for all. Owners under one name, columns not padded."""
    lines = [line for command in COMMANDS for line in ("\\echo ===", command)]
    where = ["-h", server.host, "-p", str(server.port), "-U", server.user, "-d", server.database]
    done = subprocess.run(
        ["psql", "-X", *where], input="\n".join(lines), env={**os.environ, "PGPASSWORD": server.password},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "ERROR" not in done.stderr
    owned = re.sub(r"\b(postgres|pg_database_owner)\b", "pgproxy", done.stdout)
    plain = re.sub(r"-{2,}", "--", re.sub(r" +", " ", owned))
    return dict(zip(COMMANDS, plain.split("===\n")[1:], strict=True))


def test_every_command_prints_the_same(embedded_pair: Pair) -> None:
    assert len(embedded_pair.same(printed)) == len(COMMANDS)


def test_a_function_that_is_not_there_has_no_source(embedded_pair: Pair) -> None:
    def run(server: Server) -> str:
        where = ["-h", server.host, "-p", str(server.port), "-U", server.user, "-d", server.database]
        return subprocess.run(
            ["psql", "-X", *where, "-c", r"\sf absent"], env={**os.environ, "PGPASSWORD": server.password},
            capture_output=True, text=True, timeout=60, check=False,
        ).stderr  # fmt: skip

    assert "does not exist" in embedded_pair.same(run)
