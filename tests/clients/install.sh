#!/usr/bin/env bash
# Installs what the client tests need and a virtualenv cannot hold, if it is missing, and says so: system packages
# (Debian and Ubuntu) and Node's drivers under var/node. A machine without the rights or the network skips those tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
need() { # need PACKAGE TEST...: the package is missing where the test fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
need postgresql-client command -v psql
need postgresql compgen -G "/usr/lib/postgresql/*/bin/pgbench"
need libpostgresql-jdbc-java test -e /usr/share/java/postgresql.jar
need default-jdk-headless command -v javac
need unixodbc compgen -G "/usr/lib/*/libodbc.so.2"
need odbc-postgresql compgen -G "/usr/lib/*/odbc/psqlodbcw.so"
need prometheus command -v promtool
need chromium command -v chromium
need chromium-driver command -v chromedriver
need nodejs command -v node
need npm command -v npm
need libdbd-pg-perl perl -MDBD::Pg -e 1
need php-cli command -v php
need php-pgsql php -r 'exit(extension_loaded("pdo_pgsql") ? 0 : 1);'
need ruby-pg ruby -rpg -e 1
need r-cran-rpostgresql Rscript -e 'library(RPostgreSQL)'

if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing system packages that the client tests need: ${missing[*]}"
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
    if ! { $sudo apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive \
            apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
        echo "They could not be installed; the tests that need them are skipped." >&2
    fi
fi

if command -v npm >/dev/null 2>&1 && ! cmp -s tests/clients/node/package.json var/node/package.json; then
    echo "Installing Node's PostgreSQL drivers under var/node"
    mkdir -p var/node
    cp tests/clients/node/package.json var/node/package.json
    if ! npm install --prefix var/node --no-audit --no-fund --no-package-lock --loglevel=error; then
        rm -f var/node/package.json
        echo "They could not be installed; the tests that need them are skipped." >&2
    fi
fi

if [ ! -x var/dbt/bin/dbt ]; then
    echo "Installing dbt-postgres 1.9 into a virtualenv of its own, var/dbt: its pins are not the project's"
    if ! { ${PYTHON:-python3} -m venv var/dbt &&
        var/dbt/bin/pip install --quiet "dbt-core>=1.9,<1.10" "dbt-postgres>=1.9,<1.10"; }; then
        rm -rf var/dbt
        echo "It could not be installed; its test is skipped." >&2
    fi
fi
