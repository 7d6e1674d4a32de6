import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;

/** Speaks to the Runtime API as aws-lambda-java-runtime-interface-client does
 * (LambdaRuntimeApiClientImpl): native code takes and answers invocations, HttpURLConnection posts
 * errors and waits for a restore. Each argument is one act; each act prints one word. */
class Client {
    static native boolean next();

    static native boolean answer(byte[] body);

    static final String RUNTIME =
        "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/";

    static int http(String method, String path) throws Exception {
        HttpURLConnection made = (HttpURLConnection) new URL(RUNTIME + path).openConnection();
        made.setRequestMethod(method);
        if (method.equals("POST")) {
            byte[] body = "{\"errorMessage\":\"no\"}".getBytes();
            made.setFixedLengthStreamingMode(body.length);
            made.setDoOutput(true);
            try (OutputStream out = made.getOutputStream()) {
                out.write(body);
            }
        }
        int status = made.getResponseCode();
        made.getInputStream().close();
        return status;
    }

    static void load() {
        System.load(System.getProperty(
            "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI"));
    }

    public static void main(String[] acts) {
        load();
        for (String act : acts) {
            String said;
            try {
                if (act.equals("next")) said = String.valueOf(next());
                else if (act.equals("answer")) said = String.valueOf(answer("{}".getBytes()));
                else said = String.valueOf(http(act.split(" ")[0], act.split(" ")[1]));
            } catch (Exception error) {
                said = error.getClass().getSimpleName();
            }
            System.out.println(said);
        }
    }
}
