/* Who gets a turn: says a word for each case. */
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turn.h"

static void says(const char *what, int got) { printf("%s %s\n", what, got ? "taken" : "refused"); }

int main(void)
{
    struct turn turn = {0};
    bool here = false, other = false;
    says("free", turn_take(&turn, &here));
    says("nested", turn_take(&turn, &here));
    turn_give(&turn, &here);
    /* A process that lives: one that shares our memory, or the parent of one that does. */
    int child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    atomic_store(&turn.holder, child);
    says("living", turn_take(&turn, &here));
    kill(child, 9);
    waitpid(child, NULL, 0);
    says("gone", turn_take(&turn, &here));
    says("another thread", turn_take(&turn, &other));
    fflush(stdout);
    /* Held over a fork by a thread that the child does not have. */
    child = fork();
    if (child == 0) {
        other = false;
        turn_reset(&turn, &here);
        says("forked", turn_take(&turn, &here));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}
