/* Where events go: an fd of the guard's own, written to without waiting for its reader. */
#ifndef FS_SINK_H
#define FS_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* At start: `fd` is what the launcher opened, or what a parent's core handed on. */
void sink_open(int fd);

/* In a forked child: the lines that the parent keeps are left to the parent. */
void sink_adopt(void);

/* Lines that could not be written, until an event says how many. */
void sink_count_lost(uint32_t lines);
uint32_t sink_take_lost(void);

/* Writes one line, or keeps it in memory until there is room. False where it is lost: the first of
 * its `rule` (enum fs_family; FS_FAMILIES: of none) there has a place. Waits a few milliseconds in
 * all during one invocation, never longer. Safe in signal handlers and between fork and exec. */
bool sink_write(const char *line, size_t size, unsigned rule);

/* Before memory is lost (exit, exec): writes what is kept, and waits a few milliseconds if the
 * reader has been reading. */
void sink_flush_last(void);
/* For the only event of a program that does not run: gives the reader a second to make room. */
void sink_await_room(void);

/* A new invocation: writes what is kept, as far as there is room now. The reader may be waited for
 * again, if it has been reading. */
void sink_invocation_begins(void);

/* The object behind `status` is where events go. */
bool sink_is(const struct stat *status);
/* `fd` leads where events go. */
bool sink_leads(int fd);
/* `size` is less than the pipe holds now, and it is the pipe that events go to. */
bool sink_would_shrink(int fd, int size);

#endif
