/* Files of code that `read_handler: {also: [...]}` protects like the handler's source. They
 * differ in two ways: they are known by path, and the import system may read each until its code
 * has run. */
#ifndef FS_ALSO_H
#define FS_ALSO_H

#include <stdbool.h>

/* The policy or the floor lists such files. */
extern bool also_is_on;

void also_start(void);
/* This resolved path is listed. */
bool also_lists(const char *path);
/* Python: the module with this source runs now. From here on neither the source nor a compiled form
 * of it may be read. */
void also_executed(const char *source);
bool also_was_executed(const char *path);
/* The import system reads this file in order to run it. A compiled file without source, which may
 * have been compiled under another path, counts as executed now. */
void also_read(const char *path);
/* Node: its loader reads the file, for the first time in this process, or in a worker thread. Where
 * a thread has no JavaScript (libuv's pool), the first reader counts as the loader. */
bool also_loader_reads(const char *path);

#endif
