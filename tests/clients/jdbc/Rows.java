import java.sql.*;

/** Logs in, runs a parameterised query and prints typed rows; java Rows.java HOST PORT USER PASSWORD. */
public class Rows {
    public static void main(String[] args) throws Exception {
        String url = "jdbc:postgresql://" + args[0] + ":" + args[1] + "/test";
        try (Connection c = DriverManager.getConnection(url, args[2], args[3])) {
            for (int threshold : new int[] {1, 5}) {
                String sql = "SELECT id, name, email, joined, active FROM sales.customers WHERE id > ? ORDER BY id";
                try (PreparedStatement s = c.prepareStatement(sql)) {
                    s.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(threshold == 1 ? -1 : 5);
                    s.setInt(1, 290);
                    try (ResultSet r = s.executeQuery()) {
                        while (r.next()) {
                            System.out.println(r.getInt(1) + "|" + r.getString(2) + "|" + r.getString(3) + "|"
                                + r.getDate(4) + "|" + r.getBoolean(5) + "|" + r.getMetaData().getColumnTypeName(4));
                        }
                    }
                }
            }
            c.setAutoCommit(false);
            try (PreparedStatement s = c.prepareStatement("SELECT n FROM numbers ORDER BY n")) {
                s.setFetchSize(1000);
                long sum = 0, count = 0;
                try (ResultSet r = s.executeQuery()) {
                    while (r.next()) { sum += r.getInt(1); count++; }
                }
                System.out.println("fetched " + count + " " + sum);
            }
            c.commit();
            try (Statement s = c.createStatement()) {
                s.executeQuery("SELECT * FROM sales.secrets");
            } catch (SQLException e) {
                System.out.println("state " + e.getSQLState());
            }
        } catch (SQLException e) {
            System.out.println("login " + e.getSQLState());
        }
    }
}
