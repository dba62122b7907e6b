import java.io.PrintStream;
import java.math.BigInteger;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the statements with MariaDB Connector/J: statements prepared by the server, COM_STMT_BULK_EXECUTE and
 * pipelined batches, fetched in portions.
 */
public final class WithConnectorJ {
    private static final String LONG = "b".repeat(1 << 24);
    private static PrintStream out;
    private static Connection c;

    private static void say(Object... words) {
        StringBuilder b = new StringBuilder();
        for (Object w : words) {
            b.append(b.length() > 0 ? " " : "").append(w);
        }
        out.println(b);
    }

    private static String show(Object v) throws Exception {
        if (v == null) {
            return "null";
        }
        String text = v.getClass().getSimpleName() + ":";
        if (v instanceof byte[]) {
            StringBuilder b = new StringBuilder(text);
            byte[] bytes = (byte[]) v;
            for (int i = 0; i < Math.min(bytes.length, 1000); i++) {
                b.append(String.format("%02x", bytes[i]));
            }
            text = b.toString() + " " + bytes.length;
        } else {
            text += v;
        }
        if (text.length() > 300) {
            byte[] sum = MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
            return text.length() + ":" + String.format("%040x", new BigInteger(1, sum));
        }
        StringBuilder b = new StringBuilder();
        for (char ch : text.toCharArray()) {
            b.append(ch > 32 && ch < 127 && ch != '\\' ? String.valueOf(ch) : String.format("\\u%04x", (int) ch));
        }
        return b.toString();
    }

    private static void failed(int n, SQLException e) throws Exception {
        String text = e.getMessage().replaceAll("\\(conn=\\d+\\)", "");
        say(n, "error", e.getClass().getSimpleName(), e.getErrorCode(), e.getSQLState(), show(text));
    }

    private static void rows(int n, ResultSet r) throws Exception {
        ResultSetMetaData m = r.getMetaData();
        StringBuilder b = new StringBuilder();
        for (int i = 1; i <= m.getColumnCount(); i++) {
            b.append(String.format("%s.%s.%s/%s/%s/%d/%d/%d/%d/%b/%b/%s | ", m.getCatalogName(i), m.getTableName(i), m.getColumnName(i),
                    show(m.getColumnLabel(i)), m.getColumnTypeName(i), m.getPrecision(i), m.getScale(i), m.getColumnDisplaySize(i), m.isNullable(i),
                    m.isAutoIncrement(i), m.isSigned(i), m.getColumnClassName(i)));
        }
        say(n, "columns", b);
        while (r.next()) {
            b.setLength(0);
            for (int i = 1; i <= m.getColumnCount(); i++) {
                try {
                    b.append(show(r.getObject(i))).append(' ');
                } catch (SQLException e) { // what its type cannot hold
                    b.append(show(r.getString(i))).append("! ");
                }
            }
            say(n, "row", b);
        }
    }

    private static void results(int n, Statement s, boolean rows) throws Exception {
        while (true) {
            if (rows) {
                try (ResultSet r = s.getResultSet()) {
                    rows(n, r);
                }
            } else {
                if (s.getUpdateCount() < 0) {
                    break;
                }
                say(n, "done", s.getUpdateCount());
                try (ResultSet keys = s.getGeneratedKeys()) {
                    while (keys.next()) {
                        say(n, "key", keys.getObject(1));
                    }
                }
            }
            rows = s.getMoreResults();
        }
        for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) {
            say(n, "warning", w.getErrorCode(), show(w.getMessage()));
        }
    }

    private static void bind(PreparedStatement s, List<String> params) throws Exception {
        for (int i = 1; i <= params.size(); i++) {
            String word = params.get(i - 1);
            String text = word.length() > 2 ? URLDecoder.decode(word.substring(2).replace("+", "%2B"), "UTF-8") : "";
            switch (word.charAt(0)) {
                case 'i': s.setLong(i, Long.parseLong(text)); break;
                case 'd': s.setDouble(i, Double.parseDouble(text)); break;
                case 's': s.setString(i, text); break;
                case 'b':
                    byte[] b = new byte[text.length() / 2];
                    for (int k = 0; k < b.length; k++) {
                        b[k] = (byte) Integer.parseInt(text.substring(2 * k, 2 * k + 2), 16);
                    }
                    s.setBytes(i, b);
                    break;
                default: s.setNull(i, Types.VARCHAR);
            }
        }
    }

    private static void run(int n, String command, String text, List<List<String>> list) throws Exception {
        switch (command) {
            case "query":
            case "local":
            case "big":
                try (Statement s = c.createStatement()) {
                    results(n, s, s.execute(text, Statement.RETURN_GENERATED_KEYS));
                }
                break;
            case "prepare":
            case "cursor":
                try (PreparedStatement s = c.prepareStatement(text, Statement.RETURN_GENERATED_KEYS)) {
                    if (command.equals("cursor")) {
                        s.setFetchSize(7);
                    }
                    say(n, "prepared", s.getParameterMetaData().getParameterCount());
                    for (List<String> params : list) {
                        try {
                            bind(s, params);
                            results(n, s, s.execute());
                        } catch (SQLException e) {
                            failed(n, e);
                        }
                    }
                }
                if (text.startsWith("call outs")) {
                    try (CallableStatement s = c.prepareCall("{call outs(?, ?, ?)}")) {
                        s.setInt(1, 1);
                        s.setInt(2, 5);
                        s.registerOutParameter(2, Types.INTEGER);
                        s.registerOutParameter(3, Types.VARCHAR);
                        s.execute();
                        say(n, "out", s.getInt(2), show(s.getString(3)));
                    }
                }
                break;
            case "batch":
                try (PreparedStatement s = c.prepareStatement(text, Statement.RETURN_GENERATED_KEYS)) {
                    for (List<String> params : list) {
                        bind(s, params);
                        s.addBatch();
                    }
                    for (int changed : s.executeBatch()) {
                        say(n, "batch", changed);
                    }
                }
                try (Statement s = c.createStatement()) {
                    for (int i = 0; i < 20; i++) {
                        s.addBatch("update t set a = a where id = " + i);
                    }
                    s.addBatch("update nowhere set a = 1");
                    s.addBatch("update t set a = a where id = 1");
                    s.executeBatch();
                }
                break;
            case "use":
                c.setCatalog(text);
                break;
            case "ping":
                say(n, c.isValid(5));
                break;
            case "stat":
                DatabaseMetaData m = c.getMetaData();
                try (ResultSet r = m.getColumns(c.getCatalog(), null, "t", "%")) {
                    rows(n, r);
                }
                try (ResultSet r = m.getIndexInfo(c.getCatalog(), null, "t", false, true)) {
                    rows(n, r);
                }
                break;
            default:
                say(n, "left out");
        }
    }

    public static void main(String[] args) throws Exception {
        out = new PrintStream(System.out, true, "UTF-8");
        String url = String.format("jdbc:mariadb://%s:%s/%s?user=%s&password=%s&allowMultiQueries=true&allowLocalInfile=true&allowPublicKeyRetrieval=true"
                + "&useServerPrepStmts=true&useBulkStmts=true&usePipelineAuth=false&serverTimezone=UTC&connectTimeout=20000%s%s",
                System.getenv("HOST"), System.getenv("PORT"), System.getenv("DB"), System.getenv("DBUSER"), System.getenv("PASSWORD"),
                System.getenv("TLS") != null ? "&useSsl=true&trustServerCertificate=true" : "",
                System.getenv("COMPRESS") != null ? "&useCompression=true" : "");
        try {
            c = DriverManager.getConnection(url);
        } catch (SQLException e) {
            failed(0, e);
            return;
        }
        say(0, "server", c.getMetaData().getDatabaseProductVersion());
        List<String> lines = Files.readAllLines(Paths.get(System.getenv("STATEMENTS")), StandardCharsets.UTF_8);
        for (int i = 0; i < lines.size();) {
            String line = lines.get(i++);
            int n = i;
            List<List<String>> list = new ArrayList<>();
            while (i < lines.size() && lines.get(i).matches("with( .*)?")) {
                String params = lines.get(i++).substring(4).trim();
                list.add(params.isEmpty() ? List.of() : List.of(params.split(" ")));
            }
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.split(" ", 2);
            if (words[0].equals("big") && System.getenv("BIG") == null) {
                continue;
            }
            String text = words.length < 2 ? "" : words[1].replace("%FILE%", System.getenv("UPLOAD")).replace("DATABASE", System.getenv("DB"))
                    .replace("%BIG%", LONG);
            try {
                run(n, words[0], text, list);
            } catch (SQLException e) {
                failed(n, e);
            }
        }
        c.close();
    }
}
