import java.sql.*;
import java.util.*;

/** Prints what pgjdbc gives of one server; java Driver.java HOST PORT USER PASSWORD DATABASE SCENARIO. */
public class Driver {
    public static void main(String[] args) throws Exception {
        String scenario = args[5];
        String options = scenario.equals("savepoints") ? "?autosave=always" : "?prepareThreshold=1";
        String url = "jdbc:postgresql://" + args[0] + ":" + args[1] + "/" + args[4] + options;
        try (Connection c = DriverManager.getConnection(url, args[2], args[3])) {
            switch (scenario) {
                case "prepared" -> prepared(c);
                case "cursors" -> cursors(c);
                case "metadata" -> metadata(c);
                case "catalog" -> Catalog.print(c);
                case "origins" -> origins(c);
                case "savepoints" -> savepoints(c);
                case "cancel" -> cancel(c);
                default -> throw new IllegalArgumentException(scenario);
            }
        }
    }

    private static void show(ResultSet rows, int... columns) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        int[] shown = columns.length > 0 ? columns : java.util.stream.IntStream.rangeClosed(1, meta.getColumnCount()).toArray();
        while (rows.next()) {
            StringJoiner line = new StringJoiner("|");
            for (int i : shown) {
                line.add(String.valueOf(rows.getObject(i)));
            }
            System.out.println(line);
        }
    }

    private static void prepared(Connection c) throws SQLException {
        String sql = "SELECT id, customer_id, amount, placed, ratio FROM sales.orders WHERE amount < ? AND placed > ? AND ratio > ? ORDER BY id";
        for (int round = 0; round < 3; round++) { // the second round is binary
            try (PreparedStatement s = c.prepareStatement(sql)) {
                s.setBigDecimal(1, new java.math.BigDecimal("9.50"));
                s.setTimestamp(2, Timestamp.valueOf("2024-01-01 03:00:00"));
                s.setDouble(3, 2.5 + round);
                try (ResultSet r = s.executeQuery()) {
                    ResultSetMetaData m = r.getMetaData();
                    for (int i = 1; i <= m.getColumnCount(); i++) {
                        System.out.println(m.getColumnLabel(i) + " " + m.getColumnTypeName(i) + " " + m.getColumnClassName(i)
                            + " " + m.getPrecision(i) + " " + m.getScale(i));
                    }
                    show(r);
                }
            }
        }
        try (PreparedStatement s = c.prepareStatement("SELECT id FROM sales.customers WHERE id = ANY (?) ORDER BY id")) {
            s.setArray(1, c.createArrayOf("int4", new Integer[] {3, 6, 7}));
            show(s.executeQuery());
        }
    }

    private static void cursors(Connection c) throws SQLException {
        c.setAutoCommit(false);
        try (PreparedStatement s = c.prepareStatement("SELECT n, label FROM numbers WHERE n >= ? ORDER BY n")) {
            s.setFetchSize(999);
            s.setInt(1, 10);
            long sum = 0;
            try (ResultSet r = s.executeQuery()) {
                while (r.next()) { sum += r.getInt(1) + r.getString(2).length(); }
            }
            System.out.println(sum);
        }
        c.commit();
    }

    private static void metadata(Connection c) throws SQLException {
        DatabaseMetaData m = c.getMetaData();
        show(m.getTables(null, "sales", "%", new String[] {"TABLE", "VIEW"}), 2, 3, 4);
        show(m.getColumns(null, "sales", "customers", "%"), 2, 3, 4, 5, 6, 7, 9, 11, 17, 18);
        show(m.getPrimaryKeys(null, "sales", "orders"), 2, 3, 4, 5);
        show(m.getImportedKeys(null, "sales", "orders"), 3, 4);
        System.out.println(m.getDatabaseProductName() + " " + m.getDatabaseMajorVersion());
        try (Statement s = c.createStatement()) {
            origins(s.executeQuery("SELECT c.*, o.amount AS worth, o.id + 1 AS next FROM sales.customers c "
                + "JOIN sales.orders o ON o.customer_id = c.id WHERE o.id = 7"));
        }
    }

    private static void origins(ResultSet rows) throws SQLException {
        ResultSetMetaData m = rows.getMetaData();
        org.postgresql.PGResultSetMetaData p = m.unwrap(org.postgresql.PGResultSetMetaData.class);
        for (int i = 1; i <= m.getColumnCount(); i++) {
            System.out.println(String.join("|", m.getColumnLabel(i), m.getSchemaName(i), m.getTableName(i),
                p.getBaseSchemaName(i), p.getBaseTableName(i), p.getBaseColumnName(i),
                String.valueOf(m.isNullable(i)), String.valueOf(m.isAutoIncrement(i))));
        }
    }

    private static void origins(Connection c) throws SQLException {
        try (Statement s = c.createStatement()) {
            ResultSetMetaData m = s.executeQuery("SELECT c.*, o.amount AS a, o.id + 1 FROM sales.customers c JOIN sales.orders o ON o.customer_id = c.id LIMIT 0").getMetaData();
            for (int i = 1; i <= m.getColumnCount(); i++) {
                System.out.println(m.getColumnName(i) + " " + m.getTableName(i) + " " + m.getSchemaName(i) + " " + m.isNullable(i)
                    + " " + m.isAutoIncrement(i) + " " + m.isSigned(i) + " " + m.getColumnDisplaySize(i));
            }
        }
    }

    private static void savepoints(Connection c) throws SQLException {
        c.setAutoCommit(false);
        try (Statement s = c.createStatement()) {
            show(s.executeQuery("SELECT count(*) FROM numbers"));
            try {
                s.executeQuery("SELECT 1 / 0");
            } catch (SQLException e) {
                System.out.println(e.getSQLState());
            }
            show(s.executeQuery("SELECT max(n) FROM numbers"));
        }
        c.commit();
    }

    private static void cancel(Connection c) throws SQLException {
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1);
            try {
                s.executeQuery("SELECT count(*) FROM numbers a, numbers b WHERE a.n::bigint * b.n % 7 = 8");
            } catch (SQLException e) {
                System.out.println(e.getSQLState());
            }
            show(s.executeQuery("SELECT 1"));
        }
    }
}
