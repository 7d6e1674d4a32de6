/* The file rules: what an object is, and what the policy says of it. */
#ifndef FS_FILES_H
#define FS_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "guard.h"

/* An object and the verdict on it. */
struct judged {
    struct fs_verdict verdict;
    enum fs_family family;
    const char *verb;
    char path[PATH_MAX];
};

/* A name in a folder that is held open: what is decided about it stays true when the tree around it changes. */
struct place {
    int parent;             /* O_PATH; -1 where none */
    bool whole;             /* the path ends in ".", ".." or is "/": there is no name in a folder */
    bool outside;           /* not under /tmp for certain */
    char last[NAME_MAX + 3];/* with the slash that followed it, if any */
};

void files_start(void);
void files_read_handlers(const char *handler, const char *original, const char *datadog);
/* Memory that no door lets anybody change: the policy, the guard's own code and data. At most 8 ranges. */
void files_protect_memory(const void *start, size_t size);
bool files_memory_protected(const void *start, size_t size);

/* No file rule has anything to say in this process now. */
bool files_idle(void);

/* 0 or -errno, as a real call would fail. On 0 close_place() is due. */
int files_find_place(int dirfd, const char *path, struct place *place);
void files_close_place(struct place *place);

/* True where the verdict is not allow, or is worth an event. `flags` as for open(2). */
bool files_judge_fd(int fd, int flags, struct judged *judged);
bool files_judge_place(const struct place *place, int flags, struct judged *judged);

/* Reports; true where the act is to be refused (errno is EACCES then). */
bool files_refuse(const struct judged *judged, const void *caller);

/* True where a new number of a descriptor is to be closed again (errno is EACCES then). */
bool files_refuse_copy(int copy, const void *caller);

/* open(2) for every door that opens. */
int files_open(int dirfd, const char *path, int flags, mode_t mode, const void *caller);

/* Files that are looked at before they are opened, by the last part of their names (watched.c). */
void files_watch_name(const char *path);
void files_watch_everything(void);
bool files_name_is_watched(const char *path);
/* An object is about to get another name, or two are about to change theirs: it may be one of the handler's sources. */
void files_name_moves(int from_dir, const char *from, int to_dir, const char *to);

/* Numbers that the guard holds an object open by (held.c). From when it is looked at until the act is done, no other thread
 * puts another object there: the number to go on with, or -errno. files_release closes it, files_let_go keeps it open. */
int files_hold(int fd);
void files_release(int fd);
void files_let_go(int fd);
/* For who replaces or closes a number: false where the guard holds it. On true, files_touched is due after the act. */
bool files_touch(int fd, bool wait);
void files_touched(int fd);
/* The lowest held number of these, UINT32_MAX where none is. */
unsigned files_next_held(unsigned first, unsigned last);
void files_forget_held(void);

/* Nobody in this process can change what lies in it. */
bool files_folder_is_steady(const char *folder);

/* "/proc/self/fd/N": a path that reaches just the object held by `fd`, whatever happens to its names. */
void files_magic_path(char out[32], int fd);

#endif
