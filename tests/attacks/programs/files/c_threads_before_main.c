// class: files
// rule: read_write_tmp
// success: threads of a constructor, before main, make files while another thread starts the guard
// proof: new
#include "attack.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, TRIES = 200 };
static atomic_int go, made;

static void *make(void *number)
{
    char name[512];
    snprintf(name, sizeof name, "%s-%ld", NEW_, (long)number);
    while (!go) continue;
    for (int i = 0; i < TRIES; i++) {
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        if (fd < 0) continue;
        made++;
        close(fd);
        break;
    }
    return NULL;
}

static void start(int count, char **words, char **variables)
{
    pthread_t threads[THREADS];
    environ = variables; /* libc has not got so far */
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, make, (void *)i);
    go = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* Before the constructor of any library, and so before the core's. */
__attribute__((section(".preinit_array"), used)) static void (*const before)(int, char **,
                                                                             char **) = start;

int main(void) { return made > 0 ? reached() : stopped("open"); }
