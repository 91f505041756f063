import java.io.*;
import java.sql.*;

/** Reads a query's rows once for each line of its input, FETCH_SIZE rows at a time; prints `rows seconds`. */
public class Reading {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[0], user = arguments[1], password = arguments[2], sql = arguments[3];
        int fetchSize = Integer.parseInt(arguments[4]);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        try (Connection connection = DriverManager.getConnection(url, user, password)) {
            connection.setAutoCommit(false);
            while (input.readLine() != null) {
                long started = System.nanoTime();
                long rows = read(connection, sql, fetchSize);
                connection.commit();
                System.out.println(rows + " " + (System.nanoTime() - started) / 1e9);
            }
        }
    }

    private static long read(Connection connection, String sql, int fetchSize) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setFetchSize(fetchSize);
            long rows = 0;
            try (ResultSet found = statement.executeQuery()) {
                int columns = found.getMetaData().getColumnCount();
                while (found.next()) {
                    for (int column = 1; column <= columns; column++) { found.getObject(column); }
                    rows++;
                }
            }
            return rows;
        }
    }
}
