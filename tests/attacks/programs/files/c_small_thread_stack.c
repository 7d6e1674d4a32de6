// class: files
// rule: read_write_tmp
// success: a C program's thread with the smallest stack reads a file in /tmp
// proof: read
#include "attack.h"
#include <limits.h>
#include <pthread.h>

static char text[256];

static void *read_it(void *unused)
{
    int fd = open(FILE_, O_RDONLY);
    if (fd >= 0) (void)!read(fd, text, sizeof text - 1);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    if (pthread_create(&thread, &attributes, read_it, NULL) != 0) return stopped("pthread_create");
    pthread_join(thread, NULL);
    return got(text);
}
