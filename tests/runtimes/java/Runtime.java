import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Paths;

/** Serves invocations as aws-lambda-java-runtime-interface-client does (AWSLambda): the handler's
 * class comes from a loader of its own, and native code takes invocations and answers them. */
class Runtime {
    public static void main(String[] none) throws Exception {
        Client.load();
        URL task = Paths.get(System.getenv("LAMBDA_TASK_ROOT")).toUri().toURL();
        String[] handler = System.getenv("_HANDLER").split("::");
        Class<?> made = new URLClassLoader(new URL[] {task}).loadClass(handler[0]);
        Method method = made.getMethod(handler[1], String.class);
        while (Client.next())
            Client.answer(((String) method.invoke(null, "")).getBytes("UTF-8"));
    }
}
