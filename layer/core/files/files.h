/* The file rules: what an object is, and what the policy says of it. */
#ifndef FS_FILES_H
#define FS_FILES_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "support/copied.h"
#include "guard/guard.h"

/* An object and the verdict on it. */
struct judged {
    struct fs_verdict verdict;
    enum fs_family family;
    bool gone; /* where /tmp is ephemeral: it has no name any more, and is not open here */
    const char *verb;
    const void *caller; /* of the door; NULL: the thread holds the interpreter, or not known */
    char path[PATH_MAX];
};

/* With the flags of open(2), where a path led to the fd: what is `gone` is to be looked for again,
 * since a thread may have removed it meanwhile. */
#define FILES_AGAIN    (1 << 28)
/* This bit and those of made.h. The kernel ignores them, so a caller may set them: each door that
 * takes flags clears them first. */
#define FILES_OWN_BITS (15 << 27)
enum { FILES_LOOKS = 4 };

/* A name in a folder that is held open: what is decided about it stays true when the tree around it
 * changes. */
struct place {
    int parent; /* O_PATH; -1 where none */
    bool whole; /* the path ends in ".", ".." or is "/": there is no name in a folder */
    bool outside; /* not under /tmp for certain */
    char last[NAME_MAX + 3]; /* with the slash that followed it, if any */
};

void files_start(void);
void files_read_handlers(void);
/* Memory that no door lets anybody change: the policy, the guard's own code and data. At most 8
 * ranges. */
void files_protect_memory(const void *start, size_t size);
bool files_memory_protected(const void *start, size_t size);

/* `path` is /tmp, or what that stands for, or lies under it; the folder that /tmp lies in; a
 * process's memory in /proc. By the string alone. */
bool files_is_under_tmp(const char *path);
/* The same, by another mount of /tmp as well: then `path` becomes the one under /tmp. */
bool files_leads_under_tmp(char path[PATH_MAX]);
bool files_is_tmp_parent(const char *path);
bool files_is_memory(const char *path);

static inline bool files_writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* No file rule has anything to say in this process now. */
bool files_idle(void);
/* The guard is there for this thread, and has something to say. */
bool files_ready(void);

/* 0 or -errno, as a real call would fail. On 0 close_place() is due. */
int files_find_place(int dirfd, const struct path *path, struct place *place);
void files_close_place(struct place *place);

/* True where the verdict is not allow, or is worth an event. `flags` as for open(2). Judging keeps
 * errno: it makes system calls of its own (support/sys.h), and asks no libc. */
bool files_judge_fd(int fd, int flags, struct judged *judged, const void *caller);
bool files_judge_place(const struct place *place, int flags, struct judged *judged,
                       const void *caller);

/* The object that the place names, links not followed, is to get another name, other rights, or
 * none: true where it is one of the layer's own. */
bool files_judge_entry(const struct place *place, struct judged *judged);

/* Reports; true where the act is to be refused (errno is EACCES then). */
bool files_refuse(const struct judged *judged, const void *caller);

/* Returns true if a new duplicate must be closed again (errno is EACCES). */
bool files_refuse_copy(int copy, const void *caller);

/* Reports that what lies under /tmp would run; true where that is refused. */
bool files_refuse_running(const char *path, const void *caller);

/* The rights of an open object are to change; true where that is refused (errno is EACCES then). */
bool files_refuse_change(int fd, const void *caller);

/* open(2) for every door that opens. */
int files_open(int dirfd, const struct path *path, int flags, mode_t mode, const void *caller);

/* mkdir(2), for mkdtemp. */
int files_make_folder(const struct path *path, const void *caller);

/* Files that are looked at before they are opened, by the last part of their names (watched.c). */
void files_watch_name(const char *path);
void files_watch_everything(void);
/* At start: the file or named pipe that events go to, where it is one. */
void files_watch_events(void);
bool files_name_is_watched(const char *path);

/* Reserves an fd (reserved.c): from the inspection until the act, no other thread can make it refer
 * to another object. Returns the fd to go on with, or -errno. files_release closes it, files_let_go
 * keeps it open. */
int files_reserve(int fd);
void files_release(int fd);
void files_let_go(int fd);
/* For a door that replaces or closes an fd: returns false if it is reserved. On true, call
 * files_touched after the act. */
bool files_touch(int fd, bool wait);
void files_touched(int fd);
/* The lowest reserved fd in the range, UINT32_MAX if there is none. */
unsigned files_next_reserved(unsigned first, unsigned last);
void files_forget_reserved(void);

/* Before a lookup: variables that name a file which libc's resolver reads, and whose lines it
 * prints or asks for, are taken away where the policy refuses the file. */
void files_hold_lookup(const void *caller);
/* The same of a variable that names folders which libc opens things in. */
void files_hold_folders(const char *name, const char *verb, const void *caller);

/* A file that libc opens by its name, now or later: refused by the policy, or because the name can
 * be made to lead elsewhere. */
bool files_refuses_name(const struct path *path, int flags, const char *verb, const void *caller);

/* Resolves as the kernel would and judges the object under the file rules (tmp, handler,
 * integrity), without touching it. As files_judge_fd; the verdict is there in any case, the path ""
 * where it was not looked for. `caller`: of the door; NULL in the interpreter ring. */
bool files_judge_path(int dirfd, const struct path *path, int flags, struct judged *judged,
                      const void *caller);
/* The same, and reports; true where the act is to be refused (errno is EACCES then). */
bool files_refuses_path(int dirfd, const struct path *path, int flags, const char *verb,
                        const void *caller);

#endif
