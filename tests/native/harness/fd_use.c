/* Tests claims on an fd while threads are using it: prints a word for each case. */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include "network/first_bytes/fd_use.h"
#include "guard/guard.h"
#include "network/first_bytes/pending.h"

enum { PLACE = 77, OTHER = 78 };

/* Replaces pending.c, which needs more of the core than this program has. */
uint64_t pending_cookie(int fd) { return (uint64_t)fd; }

/* Replaces state.c. */
__thread struct guard_thread guard_thread __attribute__((tls_model("initial-exec")));

static _Atomic int stage;

static void says(const char *what, int got)
{
    printf("%s %s\n", what, got ? "claimed" : "refused");
}

static void *work(void *number)
{
    unsigned place = fd_use_begins(*(int *)number, (uintptr_t)__builtin_frame_address(0));
    atomic_store(&stage, 1);
    while (atomic_load(&stage) == 1) { /* has begun, and has not called yet */
    }
    fd_use_ends(place);
    return NULL;
}

/* Like a thread that is cancelled inside its call. */
static void *leave(void *number)
{
    (void)fd_use_begins(*(int *)number, (uintptr_t)__builtin_frame_address(0));
    return NULL;
}

/* Like a thread whose handler jumps out of its call, again and again. */
__attribute__((noinline)) static void jump_out(int number)
{
    static sigjmp_buf place;
    if (sigsetjmp(place, 0) == 0) {
        (void)fd_use_begins(number, (uintptr_t)__builtin_frame_address(0));
        siglongjmp(place, 1);
    }
}

static unsigned places_in_use(void)
{
    unsigned used = 0;
    for (unsigned i = 0; i < FD_USE_PLACES; i++) used += atomic_load(&fd_use_places[i].word) != 0;
    return used;
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
    bool claimed = fd_use_claims_fd(PLACE);
    printf("%s %s, %s\n", what, claimed ? "claimed" : "refused",
           atomic_load(&stage) == 2 ? "afterwards" : "meanwhile");
    if (claimed) fd_use_releases();
    pthread_join(ender, NULL);
    pthread_join(worker, NULL);
}

int main(void)
{
    int number = PLACE;
    bool free = fd_use_claims_fd(PLACE);
    says("free", free);
    if (free) fd_use_releases();
    at_work("at work", PLACE);
    at_work("at work elsewhere", OTHER);
    for (int i = 0; i < 2 * FD_USE_PLACES; i++) jump_out(OTHER);
    printf("jumped out %s\n", places_in_use() <= 1 ? "no growth" : "growth");
    for (int i = 0; i < 2 * FD_USE_PLACES; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, leave, &number) != 0) return 2;
        pthread_join(thread, NULL);
    }
    printf("cancelled %s\n", places_in_use() < FD_USE_PLACES / 2 ? "no growth" : "growth");
    bool left = fd_use_claims_fd(PLACE);
    says("left by many", left);
    if (left) fd_use_releases();
    printf("places %s\n",
           fd_use_begins(OTHER, (uintptr_t)__builtin_frame_address(0)) < FD_USE_PLACES ? "left"
                                                                                       : "none");
    return 0;
}
