/* What the launcher, or a parent's core, handed on to this process, and what it hands on to its
 * children. */
#ifndef FS_INHERITED_H
#define FS_INHERITED_H

#include <stdbool.h>

struct inherited {
    char policy[1024], floor[1024]; /* paths; "" where there is no floor */
    bool self_test;
    bool udp; /* UDP sockets were made before */
    bool follows; /* a program of the function's was here before */
};
extern struct inherited inherited;

/* Reads it. Does not return if the launcher did not start this process. */
void inherited_read(void);
/* Removes it from the environment, so that the program does not see the guard's state. */
void inherited_forget(void);
/* Finds out whether this is the function's process, or a program that leads to it. */
void inherited_find_place(void);

#endif
