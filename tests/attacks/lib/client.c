/* Stands in for Lambda's runtime client, under the name that the guard knows it by: a thread of its
 * own connects to the Runtime API and asks for the next invocation, and never reads the answer.
 *
 * CLIENT_WAITS: milliseconds between the socket and its connection. CLIENT_SILENT: it asks for
 * nothing. It needs no Python headers, so its import fails. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *unused)
{
    static const char next[] =
        "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
    struct sockaddr_in api = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    api.sin_port = htons(atoi(strrchr(getenv("AWS_LAMBDA_RUNTIME_API"), ':') + 1));
    const char *waits = getenv("CLIENT_WAITS");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (waits != NULL) usleep(atoi(waits) * 1000);
    if (connect(fd, (struct sockaddr *)&api, sizeof api) == 0 && getenv("CLIENT_SILENT") == NULL)
        send(fd, next, sizeof next - 1, 0);
    return NULL;
}

void *PyInit_runtime_client(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, serve, NULL);
    return NULL;
}
