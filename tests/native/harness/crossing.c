/* Who is at work with a number, and who wants it: says a word for each case. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "crossing.h"
#include "pending.h"

enum { NUMBER = 77, OTHER = 78 };

/* Of pending.c, which needs more of the core than is here. */
uint64_t pending_cookie(int fd) { return (uint64_t)fd; }

static _Atomic int stage;

static void says(const char *what, int got) { printf("%s %s\n", what, got ? "claimed" : "refused"); }

static void *work(void *number)
{
    unsigned place = crossing_begins(*(int *)number);
    atomic_store(&stage, 1);
    while (atomic_load(&stage) == 1) { /* looks, and has not called yet */
    }
    crossing_ends(place);
    return NULL;
}

/* As one that is cancelled in its call. */
static void *leave(void *number)
{
    (void)crossing_begins(*(int *)number);
    return NULL;
}

static void *end_soon(void *unused)
{
    usleep(20000);
    atomic_store(&stage, 2);
    return unused;
}

static void at_work(const char *what, int number)
{
    pthread_t worker, ender;
    atomic_store(&stage, 0);
    pthread_create(&worker, NULL, work, &number);
    while (atomic_load(&stage) == 0) {
    }
    pthread_create(&ender, NULL, end_soon, NULL);
    bool claimed = crossing_claims_number(NUMBER);
    printf("%s %s, %s\n", what, claimed ? "claimed" : "refused", atomic_load(&stage) == 2 ? "afterwards" : "meanwhile");
    if (claimed) crossing_releases();
    pthread_join(ender, NULL);
    pthread_join(worker, NULL);
}

int main(void)
{
    int number = NUMBER;
    bool free = crossing_claims_number(NUMBER);
    says("free", free);
    if (free) crossing_releases();
    at_work("at work", NUMBER);
    at_work("at work elsewhere", OTHER);
    for (int i = 0; i < 2 * CROSSING_PLACES; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, leave, &number) != 0) return 2;
        pthread_join(thread, NULL);
    }
    bool left = crossing_claims_number(NUMBER);
    says("left by many", left);
    if (left) crossing_releases();
    printf("places %s\n", crossing_begins(OTHER) < CROSSING_PLACES ? "left" : "none");
    return 0;
}
