import java.lang.reflect.*;
import java.sql.*;
import java.util.*;

/** Prints all of DatabaseMetaData: every method without arguments, and every method that gives rows. */
public class Catalog {
    /** What differs by design: addresses, the owner's name, the servers' own version text. */
    private static final Set<String> LEFT_OUT =
        Set.of("getURL", "getConnection", "getUserName", "getDatabaseProductVersion", "unwrap", "isWrapperFor");

    static void print(Connection c) throws Exception {
        DatabaseMetaData m = c.getMetaData();
        Method[] methods = DatabaseMetaData.class.getMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName));
        for (Method method : methods) {
            if (method.getParameterCount() == 0 && !LEFT_OUT.contains(method.getName())) {
                section(method.getName(), () -> method.invoke(m));
            }
        }
        section("getTables", () -> m.getTables(null, "sales", "%", null));
        section("getTables views", () -> m.getTables(null, "information_schema", "tab%", new String[] {"SYSTEM VIEW", "VIEW"}));
        section("getTables system", () -> m.getTables(null, "pg_catalog", "pg_c%", new String[] {"SYSTEM TABLE"}));
        section("getTables none", () -> m.getTables(null, "sales", "secrets", null));
        section("getColumns", () -> m.getColumns(null, "sales", "%", "%"));
        section("getColumns catalog", () -> m.getColumns(null, "pg_catalog", "pg_index", "%"));
        section("getPrimaryKeys", () -> m.getPrimaryKeys(null, "sales", "customers"));
        section("getBestRowIdentifier", () -> m.getBestRowIdentifier(null, "sales", "orders", DatabaseMetaData.bestRowSession, true));
        section("getVersionColumns", () -> m.getVersionColumns(null, "sales", "orders"));
        section("getImportedKeys", () -> m.getImportedKeys(null, "sales", "orders"));
        section("getExportedKeys", () -> m.getExportedKeys(null, "sales", "customers"));
        section("getCrossReference", () -> m.getCrossReference(null, "sales", "customers", null, "sales", "orders"));
        section("getIndexInfo", () -> m.getIndexInfo(null, "sales", "orders", true, true));
        section("getSchemas", () -> m.getSchemas(null, "sal%"));
        section("getFunctions", () -> m.getFunctions(null, "pg_catalog", "int4pl"));
        section("getFunctionColumns", () -> m.getFunctionColumns(null, "pg_catalog", "int4pl", "%"));
        section("getProcedures", () -> m.getProcedures(null, "public", "%"));
        section("getProcedureColumns", () -> m.getProcedureColumns(null, "public", "%", "%"));
        section("getUDTs", () -> m.getUDTs(null, "sales", "%", null));
        section("getSuperTables", () -> null);
    }

    private interface Call { Object run() throws Exception; }

    private static void section(String name, Call call) {
        System.out.println("== " + name);
        try {
            Object value = call.run();
            if (value instanceof ResultSet rows) {
                show(rows);
            } else {
                System.out.println(value);
            }
        } catch (InvocationTargetException e) {
            System.out.println(e.getCause().getClass().getSimpleName());
        } catch (Exception e) {
            System.out.println(e.getClass().getSimpleName() + (e instanceof SQLException s ? " " + s.getSQLState() : ""));
        }
    }

    private static void show(ResultSet rows) throws SQLException {
        ResultSetMetaData m = rows.getMetaData();
        StringJoiner head = new StringJoiner("|");
        for (int i = 1; i <= m.getColumnCount(); i++) { head.add(m.getColumnLabel(i) + ":" + m.getColumnTypeName(i)); }
        System.out.println(head);
        List<String> lines = new ArrayList<>();
        while (rows.next()) {
            StringJoiner line = new StringJoiner("|");
            for (int i = 1; i <= m.getColumnCount(); i++) { line.add(String.valueOf(rows.getObject(i))); }
            lines.add(line.toString());
        }
        lines.forEach(System.out::println);
    }
}
