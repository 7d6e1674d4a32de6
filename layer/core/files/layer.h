/* The layer's own files: children are guarded only if these stay where their loader looks for them.
 */
#ifndef FS_LAYER_H
#define FS_LAYER_H

#include <stdbool.h>
#include <sys/stat.h>

enum layer_part {
    LAYER_NONE,
    LAYER_FILE, /* the core, the launcher, a policy, the witness */
    LAYER_FOLDER, /* a folder of the layer: nothing may be created or removed in it */
    LAYER_WAY /* a folder that leads to the layer: only its name and its mode matter */
};

/* Notes the objects as they are now. `policy`, `floor`: the paths of the compiled policies. */
void layer_start(const char *policy, const char *floor);

enum layer_part layer_part_of(const struct stat *status);

/* The last part of a path is also that of one of the layer's files or of a folder on the way to it.
 */
bool layer_has_name(const char *last);

/* The path lies in a folder of the layer's own, by the string. */
bool layer_is_inside(const char *path);

/* NULL if a program that this thread starts now would be preloaded with this core, else the reason
 * why not ("it …"). */
const char *layer_unloadable(void);

#endif
