import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Paths;

/** The handler of tests/runtimes/table.py. */
public class Acts {
    interface Act {
        void run() throws Exception;
    }

    static String code(Act act) {
        try {
            act.run();
            return "passed";
        } catch (Exception error) {
            boolean refused = String.valueOf(error.getMessage()).contains("Permission denied");
            return refused ? "EACCES" : error.getClass().getSimpleName();
        }
    }

    static int memory() throws Exception {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status")))
            if (line.startsWith("VmRSS:")) return Integer.parseInt(line.replaceAll("\\D", ""));
        return 0;
    }

    public static String handleRequest(String event) throws Exception {
        String source = System.getenv("LAMBDA_TASK_ROOT") + "/Acts.class";
        String[] said = {
            code(() -> new FileOutputStream("/tmp/function-shield-table").close()),
            code(() -> new ProcessBuilder("/usr/bin/true").start().waitFor()),
            code(() -> new FileInputStream(source).close()),
            code(() -> new Socket().connect(new InetSocketAddress("127.66.66.66", 9), 2000)),
        };
        return "[\"" + String.join("\",\"", said) + "\"," + memory() + "]";
    }
}
