/* Writes a DNS question to libc's socket, beside a thread that looks up an allowed name by an
 * older call: `lookups CALL NAME OTHER-NAME`. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *call, *name;
static volatile int over;

static void look(void)
{
    unsigned char answer[1024];
    struct hostent host, *found;
    char buffer[4096];
    int error;
    if (strcmp(call, "gethostbyname") == 0) gethostbyname(name);
    if (strcmp(call, "gethostbyname2_r") == 0)
        gethostbyname2_r(name, AF_INET, &host, buffer, sizeof buffer, &found, &error);
    if (strcmp(call, "getaddrinfo") == 0) {
        struct addrinfo *list;
        if (getaddrinfo(name, "443", NULL, &list) == 0) freeaddrinfo(list);
    }
    if (strcmp(call, "res_query") == 0) res_query(name, 1, 1, answer, sizeof answer);
    if (strcmp(call, "res_search") == 0) res_search(name, 1, 1, answer, sizeof answer);
}

static void *look_up(void *unused)
{
    while (!over) look();
    return unused;
}

static ino_t asking(int fd)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    struct stat status;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_port != htons(53))
        return 0;
    return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

int main(int argc, char **argv)
{
    unsigned char question[300] = "\x12\x34\1\0\0\1\0\0\0\0\0\0";
    size_t size = 12;
    pthread_t thread;
    if (argc < 4) return 2;
    call = argv[1];
    name = argv[2];
    for (char *label = strtok(argv[3], "."); label != NULL; label = strtok(NULL, ".")) {
        size_t length = strlen(label);
        question[size++] = (unsigned char)length;
        memcpy(question + size, label, length);
        size += length;
    }
    memcpy(question + size, "\0\0\1\0\1", 5);
    size += 5;
    const char *given = getenv("ROAD_SECONDS");
    time_t end = time(NULL) + (given != NULL ? atoi(given) : 20) + 1;
    int first = dup(0), done = 0;
    close(first);
    pthread_create(&thread, NULL, look_up, NULL);
    while (done < 3 && time(NULL) < end) {
        for (int fd = first; fd < first + 3; fd++) {
            ino_t before = asking(fd);
            if (before == 0 || write(fd, question, size) != (ssize_t)size) continue;
            done += asking(fd) == before;
        }
    }
    over = 1;
    pthread_join(thread, NULL);
    puts(done >= 3 ? "done" : "not done");
    return 0;
}
