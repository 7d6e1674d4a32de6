/* The layer as it is installed: its folder, and the core in it. */
#ifndef FS_WRAPPER_INSTALLED_H
#define FS_WRAPPER_INSTALLED_H

#include <limits.h>
#include <stddef.h>

/* The folder that holds function-shield, set by installed_find(). */
extern char installed_folder[PATH_MAX];

/* Refuses a folder that the dynamic loader cannot preload from. */
void installed_find(void);

/* Refuses a core that could not be preloaded, or is not the launcher's own. */
void installed_check_core(const char *path);

/* "FOLDER/NAME"; refuses what does not fit. */
void installed_join(char *out, size_t size, const char *folder, const char *name);

#endif
