/* How an origin shows a frame, in every language: its path, and its line in `stack`. */
#ifndef FS_FRAME_TEXT_H
#define FS_FRAME_TEXT_H

#include <stddef.h>

#include "events/events.h"

/* An event shows the innermost frames in full, and further out the first frame of each package. */
enum { FRAMES_SHOWN = 8, FRAMES_IN_FULL = 4 };

/* Adds "PATH:LINE FUNCTION" to the stack, whole or not at all. `*used`: bytes of it so far. */
void frame_text_push(struct origin *origin, size_t *used, const char *path, int line,
                     const char *function);
/* The file's name up to its first dot. */
void frame_text_module(char *out, size_t size, const char *path);
/* The part of `path` after `prefix`/, or NULL if `path` lies elsewhere. */
const char *frame_text_below(const char *path, const char *prefix);

/* An absolute `path` without ".", ".." and empty parts, by its text: `path` itself if it has none,
 * else in `room`. "" if that is too small, and for paths through /proc, where every file has other
 * names. */
const char *frame_text_plain(const char *path, char *room, size_t size);

#endif
