/* Tests who gets a lock: prints a word for each case. */
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

/* Like a thread that ends while it holds the lock. */
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
    /* A living process holds the lock: one that shares our memory, or the parent of such a
     * process. */
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
    /* At the fork, the locks are held by threads that the child does not have. */
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
