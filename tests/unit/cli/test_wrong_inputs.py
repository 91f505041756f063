"""Every command, given what is wrong: words that say it, exit status 1 or 2, no traceback, no change."""

import shlex

import pytest

from tests.unit.cli.conftest import CommandLine

LONG = "x" * 64
HUGE = "99999999999999999999"

REFUSED = f"""
user add                                                    : 2 : Missing argument
user add ann                                                : 1 : 42710
user add ""                                                 : 1 : 42602
user add {LONG}                                             : 1 : 42602
user add pg_x                                               : 1 : 42939
user add eve --group none                                   : 1 : 42704
user passwd nobody                                          : 1 : 42704
user lock nobody                                            : 1 : 42704
user unlock nobody                                          : 1 : 42704
user drop nobody                                            : 1 : 42704
user frob                                                   : 2 : No such command
key create nobody                                           : 1 : 42704
key create ann --valid-for soon                             : 2 : --valid-for is not a duration
key create ann --interface telnet                           : 2 : 'telnet' is not one of
key revoke none                                             : 1 : there is no such API key
hba set none                                                : 2 : cannot read none
hba set bad.hba                                             : 2 : line 1: no such connection type
hba check bad.hba                                           : 2 : line 1: no such connection type
hba match --user ann                                        : 2 : Missing option
hba match --user ann --address 1.2.3                        : 2 : --address is no IP address
policy apply none.yaml                                      : 2 : cannot read none.yaml
policy apply bad.yaml                                       : 2 : not valid YAML
policy apply unknown.yaml                                   : 2 : no such key
policy apply huge.yaml                                      : 1 : a weight is a number
policy diff bad.yaml                                        : 2 : not valid YAML
policy check unknown.yaml                                   : 2 : no such key
policy test none.yaml                                       : 2 : cannot read none.yaml
policy export none/policy.yaml                              : 2 : cannot write
policy rollback 99                                          : 1 : does not exist
policy rollback {HUGE}                                      : 1 : does not exist
policy history --limit 0                                    : 2 : '--limit'
policy history --limit {HUGE}                               : 2 : '--limit'
audit export --limit {HUGE}                                 : 2 : '--limit'
audit purge                                                 : 2 : Missing option
audit purge --older-than -1h                                : 2 : --older-than is not a duration
endpoint add n1 grpc://h:1 --token t                        : 1 : 42710
endpoint add n2 http://h:1 --token t                        : 1 : grpc://HOST:PORT
endpoint add n2 grpc://h:0 --token t                        : 1 : grpc://HOST:PORT
endpoint add n2 grpc://[::1:5 --token t                     : 1 : grpc://HOST:PORT
endpoint add "" grpc://h:1 --token t                        : 1 : 42602
endpoint add a=b grpc://h:1 --token t                       : 1 : 42602
endpoint add "a\x1b[2J" grpc://h:1 --token t                : 1 : all printable
endpoint add local grpc://h:1 --token t                     : 1 : the embedded engine
endpoint add n2 grpc://h:1 --token ""                       : 1 : needs a token
endpoint add n2 grpc://h:1 --token " ab"                    : 1 : printable ASCII
endpoint add n2 grpc://h:1 --token "t\u00f6"                : 1 : printable ASCII
endpoint add n2 grpc://h:1 --token "old,new"                : 1 : without a comma
endpoint add n2 grpc://h:1 --token t --label x              : 2 : KEY=VALUE
endpoint add n2 grpc://h:1 --token t --label a=1 --label a=2 : 2 : each key once
endpoint add n2 grpc://h:1 --token t --size "a=b,c"         : 1 : KEY=VALUE
endpoint add n2 grpc://h:1 --token t --capacity {HUGE}      : 1 : a capacity is a number
endpoint drain nope                                         : 1 : 42704
endpoint drain n1 --timeout soon                            : 2 : not a duration
endpoint drain gone                                         : 1 : cannot become DRAINING
endpoint activate gone                                      : 1 : cannot become ACTIVE
endpoint remove nope                                        : 1 : 42704
endpoint token n1                                           : 2 : nothing on stdin
assign --user ann                                           : 2 : --endpoint and --pool
assign --endpoint n1                                        : 2 : --user and --group
assign --user nobody --endpoint n1                          : 1 : 42704
assign --user ann --endpoint nope                           : 1 : 42704
assign --group ann --endpoint n1                            : 1 : 42809
assign --user ann --pool x                                  : 2 : KEY=VALUE
assign --user ann --endpoint n1 --priority {HUGE}           : 1 : a priority is a number
assign --user ann --endpoint n1 --weight {HUGE}             : 1 : a weight is a number
assign --user ann --endpoint n1 --shadow 101                : 2 : '--shadow'
unassign --user ann --endpoint n1                           : 1 : is not assigned
catalog add c --kind frob --location /x                     : 2 : 'frob' is not one of
catalog add c --kind duckdb --location ""                   : 1 : needs a location
catalog add temp --kind duckdb --location /x                : 1 : 42602
catalog add c --kind duckdb --location /x --option foo=1    : 1 : no option "foo"
catalog add c --kind duckdb --location /x --option foo      : 2 : NAME=VALUE
catalog add c --kind duckdb --location /x --credential k=1  : 1 : no credential "k"
catalog add c --kind parquet --location /x --writable       : 1 : read-only
catalog add c --kind ducklake --location postgres:dbname=x  : 1 : data_path
catalog remove nope                                         : 1 : 3D000
rollout start r --to nope                                   : 1 : 42704
rollout start r --to gone                                   : 1 : is RETIRED
rollout start r --to size=none                              : 1 : no endpoint has the labels size=none
rollout start r --to of=gone                                : 1 : labels of=gone takes new work
rollout start r --to a=b=c                                  : 1 : KEY=VALUE
rollout start "" --to n1                                    : 1 : 42602
rollout start r --to n1 --stages 50%,10%                    : 2 : --stages
rollout start r --to n1 --stages nan                        : 2 : --stages
rollout start r --to n1 --hold soon                         : 2 : --hold
rollout start r --to n1 --min-queries 0                     : 1 : at least one query
rollout start r --to n1 --min-queries {HUGE}                : 1 : a billion
rollout start r --to n1 --max-error-rate nan                : 1 : an error rate
rollout start r --to n1 --max-p95-ratio inf                 : 1 : a billion
rollout pause nope                                          : 1 : 42704
rollout resume nope                                         : 1 : 42704
rollout widen nope                                          : 1 : 42704
rollout abort nope                                          : 1 : 42704
rollout remove nope                                         : 1 : 42704
rollout status nope                                         : 1 : 42704
flags set                                                   : 2 : Missing argument
flags set NOPE=true                                         : 1 : 42704
flags set FEATURE_CURSOR_MODE                               : 2 : NAME=VALUE
flags set FEATURE_CURSOR_MODE=perhaps                       : 1 : expected true
flags set FEATURE_CURSOR_MODE=on feature_cursor_mode=off    : 2 : is given twice
flags set REMOTE_CANARY_PERCENT=nan                         : 1 : from 0 to 100
flags unset NOPE                                            : 1 : 42704
query run "SELECT 1" --url ftp://h                          : 1 : http://
query run "SELECT 1" --priority x                           : 2 : '--priority'
query list --limit 0                                        : 2 : '--limit'
query list --url http://[::1                                : 1 : see --url
query show                                                  : 2 : Missing argument
route explain                                               : 2 : Missing option
route explain --user nobody                                 : 1 : 42704
serve --config none.env                                     : 2 : cannot read none.env: No such file
serve --config bad.bin                                      : 2 : it is not UTF-8
user list --metastore mysql://h/x                           : 1 : METASTORE_URL
user list --metastore sqlite:///none/m.sqlite               : 1 : cannot open the metastore
"""

FILES = {
    "bad.hba": b"hosts all\n",
    "bad.yaml": b"users: [\n",
    "unknown.yaml": b"userz: {}\n",
    "huge.yaml": b"users: {ann: {}}\nendpoints: {n1: {url: 'grpc://h:1', token: t}}\n"
    b"assignments: [{user: ann, endpoint: n1, weight: 99999999999999999999}]\n",
    "bad.bin": b"\xff\xfe",
}


@pytest.fixture
def prepared(pgproxy: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A user, an endpoint, and one that is retired. Files are found by name alone."""
    monkeypatch.chdir(pgproxy.folder)
    monkeypatch.setenv("PGUSER", "ann")
    monkeypatch.setenv("PGPASSWORD", "secret-1")
    monkeypatch.setenv("COLUMNS", "200")
    for name, content in FILES.items():
        (pgproxy.folder / name).write_bytes(content)
    pgproxy.must("user", "add", "ann", given="secret-1\n")
    pgproxy.must("endpoint", "add", "n1", "grpc://h:1", "--token", "t")
    pgproxy.must("endpoint", "add", "gone", "grpc://h:1", "--token", "t", "--label", "of=gone")
    pgproxy.must("endpoint", "remove", "gone")
    return pgproxy


def test_what_is_wrong_is_told_and_changes_nothing(prepared: CommandLine) -> None:
    before = prepared.must("policy", "history")
    wrong = []
    for line in REFUSED.strip().splitlines():
        command, code, words = line.rsplit(" : ", 2)
        result = prepared(*shlex.split(command), given="secret-2\n" if command.startswith("user") else None)
        has_crashed = result.exception is not None and not isinstance(result.exception, SystemExit)
        if has_crashed or result.exit_code != int(code) or words not in result.stderr or result.stdout:
            wrong.append((command, result.exit_code, result.output, result.exception))
    assert wrong == []
    assert prepared.must("policy", "history") == before
