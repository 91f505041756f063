import java.sql.*;

/** Lists a database as tools do, REPEATS times over new connections; prints `name milliseconds`. */
public class Listing {
    private interface Step { ResultSet run() throws SQLException; }

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0], user = arguments[1], password = arguments[2], table = arguments[3];
        for (int round = 0; round < Integer.parseInt(arguments[4]); round++) {
            long started = System.nanoTime();
            try (Connection connection = DriverManager.getConnection(url, user, password)) {
                DatabaseMetaData m = connection.getMetaData();
                report("jdbc connect", started);
                started = System.nanoTime();
                timed("jdbc getSchemas", () -> m.getSchemas());
                timed("jdbc getTables", () -> m.getTables(null, "public", "%", null));
                timed("jdbc getColumns of one", () -> m.getColumns(null, "public", table, "%"));
                timed("jdbc getPrimaryKeys", () -> m.getPrimaryKeys(null, "public", table));
                timed("jdbc getIndexInfo", () -> m.getIndexInfo(null, "public", table, false, true));
                timed("jdbc getImportedKeys", () -> m.getImportedKeys(null, "public", table));
                timed("jdbc getTypeInfo", () -> m.getTypeInfo());
                timed("jdbc getColumns of all", () -> m.getColumns(null, "public", "%", "%"));
                report("jdbc list", started);
            }
        }
    }

    private static void timed(String name, Step step) throws SQLException {
        long started = System.nanoTime();
        try (ResultSet rows = step.run()) {
            while (rows.next()) { rows.getString(1); }
        }
        report(name, started);
    }

    private static void report(String name, long started) {
        System.out.println(name + "=" + (System.nanoTime() - started) / 1e6);
    }
}
