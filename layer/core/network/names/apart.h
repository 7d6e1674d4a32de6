/* Calls of libc with an fd table of their own.
 *
 * libc opens /etc/hosts, /etc/resolv.conf and its sockets to the name server by internal calls, at
 * ordinary fds. In the program's own table another thread could replace, copy or write to them
 * while a lookup runs. So the call is made by a child that shares memory and thread-local storage
 * with the calling thread, as vfork's does, and has an empty fd table: no other thread, and no
 * process that one of them forks, has an fd for what is opened there. */
#ifndef FS_APART_H
#define FS_APART_H

#include <stdbool.h>

enum apart {
    APART_DONE,
    APART_FAILED, /* no child could be made, or it was killed */
    APART_IMPOSSIBLE, /* an emulator whose child would not share our memory; nothing was called */
};

/* Calls `work`. Signals and cancellation of this thread wait until it is done. errno is as `work`
 * left it. If `leaves_nothing` open is true, and no other thread shares the fd table, `work` is
 * called without a child, because no other thread could reach its fds. */
enum apart apart_run(void (*work)(void *context), void *context, bool leaves_nothing);

/* A process, or a thread that libc did not make, shares the fd table from now on. */
void apart_shares_table(void);

#endif
