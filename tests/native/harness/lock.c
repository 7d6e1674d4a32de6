/* Who gets a lock: says a word for each case. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/lock.h"

LOCK(lock);
LOCK(other);

static void says(const char *what, int got) { printf("%s %s\n", what, got ? "taken" : "refused"); }

static bool is_blocked(int number)
{
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, number);
}

/* As a thread that ends in the middle. */
static void *leave(void *unused)
{
    (void)lock_take(&lock);
    return unused;
}

int main(void)
{
    pthread_t thread;
    says("free", lock_take(&lock));
    printf("signals %s\n", is_blocked(SIGALRM) ? "wait" : "come");
    lock_give(&lock);
    printf("signals %s\n", is_blocked(SIGALRM) ? "wait" : "come");
    /* A process that lives: one that shares our memory, or the parent of one that does. */
    int child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    atomic_store(&lock.holder, (uint32_t)child);
    says("living", lock_take(&lock));
    printf("signals %s\n", is_blocked(SIGALRM) ? "wait" : "come");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    says("gone", lock_take(&lock));
    lock_give(&lock);
    pthread_create(&thread, NULL, leave, NULL);
    pthread_join(thread, NULL);
    says("an ended thread's", lock_take(&lock));
    (void)lock_take(&other);
    fflush(stdout);
    /* Held over a fork by threads that the child does not have. */
    child = fork();
    if (child == 0) {
        lock_forked();
        says("forked", lock_take(&lock));
        says("forked, another", lock_take(&other));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}
