import java.sql.*;
import java.util.*;

/** Logs in once per line of stdin, `URL<TAB>USER<TAB>PASSWORD`; prints current_user, or the SQLSTATE of the refusal. */
public class Login {
    public static void main(String[] args) {
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            String[] parts = lines.nextLine().split("\t", -1);
            try (Connection c = DriverManager.getConnection(parts[0], parts[1], parts[2]);
                    ResultSet r = c.createStatement().executeQuery("SELECT current_user")) {
                r.next();
                System.out.println(r.getString(1));
            } catch (SQLException e) {
                System.out.println("refused " + e.getSQLState());
            }
        }
    }
}
