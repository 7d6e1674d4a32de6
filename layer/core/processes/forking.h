/* Forks, as libc's functions and as system calls. */
#ifndef FS_FORKING_H
#define FS_FORKING_H

#include <stddef.h>
#include <stdint.h>

/* Once, before any thread forks. */
void forking_start(void);

/* The system calls clone and clone3 whose child starts where the caller stands (no stack of its
 * own). `flags` points into `arguments`, our own copy. */
long forking_raw_clone(unsigned long flags, int *parent_tid, int *child_tid, unsigned long tls,
                       const void *caller);
long forking_raw_clone3(uint64_t *flags, void *arguments, size_t size, const void *caller);
/* The same with a stack of its own, where none of our code can run in the child: 0, or -1 and
 * errno. */
long forking_judges_raw_clone(unsigned long flags, const void *caller);

/* A thread or process is about to start that shares this one's memory and may not share its fds.
 * The kernel does not report when it ends. */
void forking_parts(unsigned long flags);

#endif
