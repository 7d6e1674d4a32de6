// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a thread makes a socket during a fork, after the guard listed the sockets: the child
//   connects it, and the parent sends bytes that are not TLS
// proof: word
// needs: resolver
// timeout: 60
#include "allowed.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { PLACE = 700 };
static volatile int over;

static void *make(void *unused)
{
    while (!over) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        dup2(fd, PLACE);
        close(fd);
        while (!over && fcntl(PLACE, F_GETFD) >= 0) usleep(100);
        for (volatile int i = rand() % 20000; i > 0; i--) continue;
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int listener = allowed_listener(), heard = 0;
    time_t end = time(NULL) + patience(6);
    signal(SIGPIPE, SIG_IGN);
    pthread_create(&thread, NULL, make, NULL);
    while (time(NULL) < end && !heard) {
        close(PLACE);
        int child = fork();
        if (child == 0)
            _exit(connect(PLACE, (const struct sockaddr *)&allowed_place, sizeof allowed_place) !=
                  0);
        int status = 1;
        waitpid(child, &status, 0);
        if (status == 0) {
            write(PLACE, SECRET_, strlen(SECRET_));
            shutdown(PLACE, SHUT_RDWR);
            heard = allowed_heard(listener, 200);
        }
    }
    over = 1;
    pthread_join(thread, NULL);
    errno = EACCES;
    return heard ? reached() : stopped("nothing came");
}
