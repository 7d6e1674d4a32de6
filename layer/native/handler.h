/* The handler's source, inside the file rules. See guard.h for what the interpreter ring calls. */
#ifndef FS_HANDLER_H
#define FS_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* _HANDLER or a variable that stands in for it is set. */
bool handler_known(void);
/* The sealed sources as "DEV.INO,DEV.INO", "" where nothing is sealed; false where they do not fit. A child is told them. */
bool handler_describe(char *out, size_t size);
void handler_restore(const char *text);
/* This object is one of the sealed handler's sources. */
bool handler_is_source(const struct stat *status);
/* A runtime without an interpreter ring (Node): the first reading open of the handler seals it.
 * `plain` is the object's path where that is known, else NULL. */
extern bool handler_watch;
void handler_opened(int fd, int flags, const char *plain);

#endif
