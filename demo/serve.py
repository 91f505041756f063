"""`make serve`: the gateway on demo data, with the embedded engine, and psql lines that work as printed."""

import signal
import sys

from demo.programs import ADMIN, ADMIN_PASSWORD, prepare, running

HOST, PORT = "127.0.0.1", 5433


def psql_line(user: str, password: str, query: str) -> str:
    """Give a shell line that connects as `user` and runs `query`."""
    return f'PGPASSWORD={password} psql -h {HOST} -p {PORT} -U {user} -d demo -c "{query}"'


def main() -> int:
    """Serve until interrupted."""
    print("Preparing demo data and policy …", flush=True)
    environment = prepare()
    environment["PG_WIRE_LISTEN_ADDR"] = f"{HOST}:{PORT}"
    try:
        with running(["pgproxy", "serve"], environment) as gateway:
            print("\nThe gateway is ready. In another terminal:\n")
            print("  # the administrator sees everything")
            print(
                "  " + psql_line(ADMIN, ADMIN_PASSWORD, "SELECT * FROM sales.customers ORDER BY id LIMIT 5")
            )
            print("  # the analyst sees region EU only, masked e-mail addresses and no credit limit")
            print("  " + psql_line("analyst", "analyst", "SELECT * FROM sales.customers ORDER BY id LIMIT 5"))
            print("  # the intern sees nothing")
            print("  " + psql_line("intern", "intern", "SELECT * FROM sales.customers ORDER BY id LIMIT 5"))
            print(
                "\nhttp://127.0.0.1:8080/console for operators (admin), /health and /metrics."
                " Stop with Ctrl-C.",
                flush=True,
            )
            signal.signal(signal.SIGTERM, lambda *_: gateway.send_signal(signal.SIGTERM))
            return gateway.wait()
    except KeyboardInterrupt:
        return 0
    except RuntimeError as error:
        print(f"make serve: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
