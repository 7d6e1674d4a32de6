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
    bool gone; /* ephemeral /tmp: removed, and not open here */
    const char *verb;
    const char *from, *to; /* the other path of the act, as struct act has them; else NULL */
    const void *caller; /* of the door; NULL: the thread holds the interpreter, or not known */
    char path[PATH_MAX];
};

/* Added to the flags of open(2) if a path led to the fd: an object that is `gone` must be looked up
 * again, because another thread may have removed it meanwhile. */
#define FILES_AGAIN    (1 << 28)
/* This bit and those of made.h. The kernel ignores them, so a caller may set them: each door that
 * takes flags clears them first. */
#define FILES_OWN_BITS (15 << 27)
/* How often a path is resolved again if another thread changes what it leads to. */
enum { FILES_TRIES = 4 };

/* A name in a folder that the guard holds open, so that a verdict on it stays true when another
 * thread changes the tree around it. */
struct place {
    int parent; /* O_PATH; -1 where none */
    bool whole; /* the path ends in ".", ".." or is "/": there is no name in a folder */
    bool outside; /* certainly not under /tmp */
    char last[NAME_MAX + 3]; /* with the slash that followed it, if any */
};

void files_start(void);
/* Memory that no door lets the program change: the policy, the guard's own code and data. At most 8
 * ranges. */
void files_protect_memory(const void *start, size_t size);
bool files_memory_protected(const void *start, size_t size);

/* By the string alone: `path` is /tmp, or what /tmp resolves to, or lies under it. */
bool files_is_under_tmp(const char *path);
/* The same, and true through another mount of /tmp as well; `path` then becomes the path under
 * /tmp. */
bool files_leads_under_tmp(char path[PATH_MAX]);
/* By the string alone: the folder that contains /tmp. */
bool files_is_tmp_parent(const char *path);
/* By the string alone: a process's memory in /proc. */
bool files_is_memory(const char *path);

static inline bool files_writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* No file rule applies in this process now. */
bool files_idle(void);
/* guard_ready(), and a file rule applies. */
bool files_ready(void);

/* Returns 0, or the -errno of the real call. After 0, call files_close_place(). */
int files_find_place(int dirfd, const struct path *path, struct place *place);
void files_close_place(struct place *place);

/* Returns true if the verdict is not allow, or makes an event. `flags` as for open(2). Keeps errno,
 * because all system calls are the guard's own (support/sys.h). */
bool files_judge_fd(int fd, int flags, struct judged *judged, const void *caller);
bool files_judge_place(const struct place *place, int flags, struct judged *judged,
                       const void *caller);

/* For acts that rename, remove or change the mode of the object that the place names (links not
 * followed). Returns true if the object is one of the layer's own. */
bool files_judge_entry(const struct place *place, struct judged *judged);

/* Reports. Returns true if the act must be refused; errno is then EACCES. */
bool files_refuse(const struct judged *judged, const void *caller);

/* Returns true if a new duplicate must be closed again (errno is EACCES). */
bool files_refuse_copy(int copy, const void *caller);

/* Reports that a program under /tmp would run. Returns true if that is refused. */
bool files_refuse_running(const char *path, const void *caller);

/* Before the mode of an open object changes. Returns true if that is refused; errno is then EACCES.
 * Files under /tmp need no check, because nobody gets an fd of one. Files of the layer do. */
bool files_refuse_change(int fd, const void *caller);

/* open(2) for every door that opens. */
int files_open(int dirfd, const struct path *path, int flags, mode_t mode, const void *caller);

/* mkdir(2), for mkdtemp. */
int files_make_folder(const struct path *path, const void *caller);

/* Files with the last component of this path are inspected before they are opened (watched.c). */
void files_watch_name(const char *path);
void files_watch_everything(void);
/* At start: watches the name of the file or named pipe that events go to, if it is one of these. */
void files_watch_events(void);
bool files_name_is_watched(const char *path);

/* Reserves an fd (reserved.c): from the inspection until the act, no other thread can make it refer
 * to another object. Returns the fd to go on with, or -errno. files_release closes it, files_let_go
 * keeps it open. */
int files_reserve(int fd);
void files_release(int fd);
void files_let_go(int fd);
/* Reserves an fd that is the program's, where it is, until files_unpin: no other thread can replace
 * it. A door that is left by longjmp lets go of it. `files_pinned`: this thread's, and 1; 0: none.
 */
void files_pin(int fd);
void files_unpin(void);
extern __thread int files_pinned __attribute__((tls_model("initial-exec")));
/* For a door that replaces or closes an fd: returns false if it is reserved. On true, call
 * files_touched after the act. */
bool files_touch(int fd, bool wait);
void files_touched(int fd);
/* The lowest reserved fd in the range, UINT32_MAX if there is none. */
unsigned files_next_reserved(unsigned first, unsigned last);
void files_forget_reserved(void);

/* Before a lookup: removes variables that name a file for libc's resolver, if the policy refuses
 * the file. libc would print its lines, or ask the name server for them. */
void files_check_lookup_variables(const void *caller);
/* Removes a variable that names folders in which libc opens files, if the policy refuses one of
 * them. */
void files_check_folders(const char *name, const char *verb, const void *caller);

/* A file that libc opens by its name, now or later. Returns true if the policy refuses it, or if
 * another thread could make the name lead elsewhere before libc opens it. */
bool files_refuses_name(const struct path *path, int flags, const char *verb, const void *caller);

/* Judges the object at a path under the file rules (tmp, handler, integrity), without touching it.
 * The result is that of files_judge_fd. The verdict is always set; the path is "" if it was not
 * needed. `caller`: of the door; NULL in the interpreter ring. */
bool files_judge_path(int dirfd, const struct path *path, int flags, struct judged *judged,
                      const void *caller);
/* The verdict on the second path of an act, if the rule that refuses or reports the first one does
 * so with the second, and no more strictly; else NULL. It is scratch memory. */
struct judged *files_judge_other(const struct judged *first, int dirfd, const struct path *path);
/* The same as files_judge_path, and reports. Returns true if the act must be refused; errno is then
 * EACCES. */
bool files_refuses_path(int dirfd, const struct path *path, int flags, const char *verb,
                        const void *caller);

#endif
