#include "files/made.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "files/files.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "support/folder.h"
#include "support/sys.h"
#include "support/text.h"

enum { ENTRIES = 512, STEPS = 1 << 20, TABLE_MARK = 0x6d616465 };
/* No path that a rule could name is deeper than DEPTH. */
enum { DEPTH = PATH_MAX / 2, OPEN_FOLDERS = 24 };

enum state {
    FREE,
    TAKEN, /* its name is being written */
    MADE,
    LEFT /* due for removal; no process may use it until then */
};

struct table {
    uint32_t mark;
    int owner; /* the process that made it; 0 once it has asked for an event */
    atomic_uint count; /* entries from here on are free */
    _Atomic uint8_t states[ENTRIES];
    char names[ENTRIES][NAME_MAX + 1];
};

bool made_is_on;
static struct table *table;
static int table_id = -1;
static bool excepts; /* the policy allows paths under /tmp */
static bool managed; /* on a Managed Instance, whose runtime client forks workers that ask */
static bool side_by_side; /* one invocation per thread (Node's workers) */

/* ---- start ---- */

static bool is_ephemeral(const struct fs_policy *policy)
{
    if (!policy) return false;
    struct fs_section paths = fs_policy_section(policy, FS_SECTION_PATHS);
    for (uint32_t i = 0; i < paths.count; i++) {
        const struct fs_path *path = fs_policy_item(policy, FS_SECTION_PATHS, i);
        if (path && path->family == FS_TMP) excepts = true;
    }
    return policy->modes[FS_TMP] == FS_BLOCK && policy->flags & FS_FLAG_TMP_EPHEMERAL;
}

static struct table *attach(int id)
{
    long address = sys_call(SYS_shmat, id, NULL, 0);
    return address < 0 && address > -4096 ? NULL : (struct table *)address;
}

static struct table *map(void)
{
    long address = sys_call(SYS_mmap, NULL, sizeof(struct table), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return address < 0 && address > -4096 ? NULL : (struct table *)address;
}

/* A System V segment, because a program that is executed can attach it without an fd. The kernel
 * removes it when the last process that attached it ends. */
static void make_table(void)
{
    char text[TEXT_NUMBER_SIZE];
    table_id = (int)sys_call(SYS_shmget, IPC_PRIVATE, sizeof *table, IPC_CREAT | 0600);
    if (table_id >= 0) {
        table = attach(table_id);
        sys_call(SYS_shmctl, table_id, IPC_RMID, NULL);
    }
    if (!table) {
        /* The sandbox has no such segments: each executed program starts with a table of its
         * own. */
        table_id = -1;
        table = map();
    }
    if (!table) return;
    table->owner = sys_getpid();
    table->mark = TABLE_MARK;
    if (table_id < 0) return;
    text_number(text, (unsigned)table_id);
    facts_state(FACTS_MADE, text);
}

void made_start(void)
{
    bool floor = is_ephemeral(guard.floor);
    made_is_on = is_ephemeral(guard.policy) || floor;
    if (!made_is_on) return;
    const char *known = facts_value(FACTS_MADE);
    if (known) {
        table_id = text_int(known);
        table = attach(table_id);
        struct table *found = table;
        if (found && found->mark != TABLE_MARK) table = NULL;
    }
    if (!table) make_table();
    if (table) files_protect_memory(table, sizeof *table);
    managed = facts_value("AWS_LAMBDA_MAX_CONCURRENCY") != NULL;
    side_by_side = managed && strncmp(guard_program_name, "node", 4) == 0;
}

bool made_is_table(int id) { return id >= 0 && id == table_id; }

/* ---- names ---- */

/* The entry of the name in this state; NULL if there is none. */
static _Atomic uint8_t *find(const char *name, size_t size, enum state state)
{
    unsigned count = atomic_load_explicit(&table->count, memory_order_acquire);
    for (unsigned i = 0; i < count && i < ENTRIES; i++)
        if (atomic_load_explicit(&table->states[i], memory_order_acquire) == state &&
            strncmp(table->names[i], name, size) == 0 && table->names[i][size] == '\0')
            return &table->states[i];
    return NULL;
}

static bool add(const char *name, size_t size, enum state state)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint8_t free = FREE;
        if (!atomic_compare_exchange_strong(&table->states[i], &free, TAKEN)) continue;
        memcpy(table->names[i], name, size);
        table->names[i][size] = '\0';
        atomic_store_explicit(&table->states[i], (uint8_t)state, memory_order_release);
        unsigned count = atomic_load(&table->count);
        while (count < i + 1 && !atomic_compare_exchange_weak(&table->count, &count, i + 1)) {
        }
        return true;
    }
    return false;
}

static bool is_absent(int dir, const char *name)
{
    struct stat status;
    return sys_fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == -ENOENT;
}

/* Frees the entries of objects that no longer exist. */
static void sweep(int tmp)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint8_t state = atomic_load(&table->states[i]);
        if ((state == MADE || state == LEFT) && is_absent(tmp, table->names[i]))
            atomic_compare_exchange_strong(&table->states[i], &state, FREE);
    }
}

/* Nothing is there. A name that is only due for removal is taken again, so that one that the
 * function makes in each invocation has one entry. */
static bool claim(int tmp, const char *name, size_t size)
{
    uint8_t left = LEFT;
    _Atomic uint8_t *known = find(name, size, LEFT);
    if (known && atomic_compare_exchange_strong(known, &left, MADE)) return true;
    if (add(name, size, MADE)) return true;
    sweep(tmp);
    return add(name, size, MADE);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* This process has the object open, or works in it. The guard's own fds do not count: they are
 * O_PATH, or new. */
static bool is_open_here(const struct stat *object, int fd, bool is_new)
{
    _Alignas(8) char bytes[1024];
    struct folder folder = FOLDER_AT("/proc/self/fd", bytes);
    struct stat status;
    bool found = sys_fstatat(AT_FDCWD, ".", &status, 0) == 0 && is_same(&status, object);
    for (const char *name; !found && (name = folder_next(&folder)) != NULL;) {
        int other = folder_id(name);
        if (other < 0 || (is_new && other == fd)) continue;
        long flags = sys_call(SYS_fcntl, other, F_GETFL);
        found = flags >= 0 && !(flags & O_PATH) && sys_fstat(other, &status) == 0 &&
                is_same(&status, object);
    }
    if (folder.fd >= 0) sys_close(folder.fd);
    return found;
}

bool made_allows(const char *below, const struct stat *gone, int fd, const char *last, int flags)
{
    if (!table || flags & MADE_EXECUTES) return false;
    /* /proc also leads to objects that other processes removed, and their name may be the
     * function's by now. */
    if (gone && !(flags & MADE_NAMED) && !is_open_here(gone, fd, flags & MADE_NEW)) return false;
    if (gone && !last) return true;
    bool changes = flags & O_CREAT || (flags & O_ACCMODE) != O_RDONLY;
    /* /tmp itself: to be listed, to be synced, to make files without a name in. */
    if (below[0] == '\0') return !changes || flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    const char *name = below + 1;
    size_t size = strcspn(name, "/");
    if (size == 0 || size > NAME_MAX) return false;
    if (find(name, size, MADE)) return true;
    if (!last || name[size] != '\0' || !is_absent(fd, last)) return false;
    /* Claim the name before the act, so that whatever is created under it is the function's. */
    return !changes || claim(fd, name, size);
}

/* ---- the end of an invocation ---- */

struct frame {
    struct folder folder; /* its fd is -1: closed by leave_for_now; `status` identifies it */
    struct stat status;
    long position;
    char name[NAME_MAX + 1]; /* in the frame below */
    _Alignas(8) char entries[2048];
};

struct walk {
    int tmp;
    unsigned steps, moved;
    struct frame frames[DEPTH];
};

/* `keep` or `allow` of the policy matches, so the object stays, whether the function made it or
 * not. */
static bool is_kept(int dir, const char *name)
{
    char path[PATH_MAX];
    if (!excepts) return false;
    text_entry_path(dir, name, path);
    /* Kept if an entry with only_for allows it: its caller may want the object again. */
    static const struct fs_callers nobody;
    struct fs_request request = {.family = FS_TMP, .path = path, .callers = &nobody};
    struct fs_verdict verdict = guard_decide(&request);
    return verdict.mode != FS_BLOCK || verdict.reason == FS_ONLY_FOR;
}

static int open_folder(int dir, const char *name)
{
    static const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = sys_openat(dir, name, flags, 0);
    if (fd < 0) return fd;
    int own = sys_own_fd(fd);
    sys_close(fd);
    return own;
}

static long unlink_at(int dir, const char *name, int flags)
{
    long result = sys_call(SYS_unlinkat, dir, name, flags);
    if (result == -EACCES && sys_call(SYS_fchmod, dir, 0700) == 0)
        result = sys_call(SYS_unlinkat, dir, name, flags);
    return result;
}

/* True where `name` is a folder that is not empty, or holds what may be kept. */
static bool remains(int dir, const char *name)
{
    bool kept = is_kept(dir, name);
    if (!kept) {
        long result = unlink_at(dir, name, 0);
        if (result != -EISDIR && result != -EPERM) return false;
        if (!excepts) return unlink_at(dir, name, AT_REMOVEDIR) == -ENOTEMPTY;
    }
    struct stat status;
    return sys_fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Below this depth there is no frame left, and no path that `keep` could match. The folder is moved
 * up to /tmp, to be removed from there. */
static void move_up(struct walk *walk, int dir, const char *name)
{
    char to[32] = ".function-shield-";
    size_t size = strlen(to);
    size += text_number(to + size, walk->moved++);
    if (is_absent(walk->tmp, to) && add(to, size, LEFT))
        sys_call(SYS_renameat, dir, name, walk->tmp, to);
}

static bool enter(struct walk *walk, unsigned depth, int dir, const char *name)
{
    struct frame *frame = &walk->frames[depth];
    int fd = open_folder(dir, name);
    if (fd == -EACCES && sys_call(SYS_fchmodat, dir, name, 0700) == 0) fd = open_folder(dir, name);
    if (fd < 0) return false;
    frame->folder =
        (struct folder){.fd = fd, .bytes = frame->entries, .room = sizeof frame->entries};
    memcpy(frame->name, name, strlen(name) + 1);
    return true;
}

/* Saves fds in deep trees. return_to opens this folder again, by ".." of the folder inside it. */
static void leave_for_now(struct frame *frame)
{
    if (frame->folder.fd < 0 || sys_fstat(frame->folder.fd, &frame->status) != 0) return;
    frame->position = sys_call(SYS_lseek, frame->folder.fd, 0, SEEK_CUR);
    sys_close(frame->folder.fd);
    frame->folder.fd = -1;
}

/* Returns false if another thread has moved the tree meanwhile. */
static bool return_to(struct frame *frame, int inner)
{
    struct stat status;
    if (frame->folder.fd >= 0) return true;
    int fd = open_folder(inner, "..");
    if (fd == -EACCES && sys_call(SYS_fchmod, inner, 0700) == 0) fd = open_folder(inner, "..");
    if (fd < 0) return false;
    if (sys_fstat(fd, &status) == 0 && is_same(&status, &frame->status) &&
        sys_call(SYS_lseek, fd, frame->position, SEEK_SET) >= 0) {
        frame->folder.fd = fd;
        return true;
    }
    sys_close(fd);
    return false;
}

static void remove_tree(struct walk *walk, const char *root)
{
    if (!remains(walk->tmp, root) || !enter(walk, 0, walk->tmp, root)) return;
    unsigned depth = 1;
    while (depth > 0) {
        struct frame *frame = &walk->frames[depth - 1];
        const char *name = walk->steps < STEPS ? folder_next(&frame->folder) : NULL;
        walk->steps++;
        if (!name) {
            depth--;
            bool back = depth == 0 || return_to(frame - 1, frame->folder.fd);
            sys_close(frame->folder.fd);
            if (!back) return; /* the frames below have no fd */
            int below = depth > 0 ? frame[-1].folder.fd : walk->tmp;
            if (!is_kept(below, frame->name)) (void)unlink_at(below, frame->name, AT_REMOVEDIR);
            continue;
        }
        if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
        if (!remains(frame->folder.fd, name)) continue;
        if (depth == DEPTH)
            move_up(walk, frame->folder.fd, name);
        else if (enter(walk, depth, frame->folder.fd, name) && ++depth > OPEN_FOLDERS)
            leave_for_now(&frame[1 - OPEN_FOLDERS]);
    }
}

/* Lowers the count. Takes the free entries at the end first, so that no thread adds a name there
 * meanwhile. */
static void lower(void)
{
    unsigned end = atomic_load(&table->count), used = end, count = end;
    for (uint8_t free = FREE; used > 0; used--)
        if (!atomic_compare_exchange_strong(&table->states[used - 1], &free, TAKEN)) break;
    atomic_compare_exchange_strong(&table->count, &count, used);
    while (used < end) atomic_store(&table->states[used++], FREE);
}

static void remove_once(struct walk *walk)
{
    for (unsigned i = 0; i < ENTRIES && i < atomic_load(&table->count); i++) {
        uint8_t made = MADE;
        if (!atomic_compare_exchange_strong(&table->states[i], &made, LEFT) && made != LEFT)
            continue;
        remove_tree(walk, table->names[i]);
        /* A thread that may use the name can be about to make it again, or have added files
         * meanwhile. They are removed when the next invocation ends. */
        uint8_t left = LEFT;
        if ((made == LEFT && is_absent(walk->tmp, table->names[i])) ||
            is_kept(walk->tmp, table->names[i]))
            atomic_compare_exchange_strong(&table->states[i], &left, FREE);
    }
    lower();
}

static void remove_all(struct walk *walk)
{
    enum { ROUNDS = 256 };
    unsigned before = 0;
    remove_once(walk);
    for (unsigned round = 0; round < ROUNDS && walk->moved != before; round++) {
        before = walk->moved;
        remove_once(walk);
    }
}

void made_end(void)
{
    if (!made_is_on || !table || guard.dry_run || side_by_side) return;
    if (UNLIKELY(managed && table->owner != 0 && table->owner != sys_getpid())) {
        /* A worker: what it makes from now on is its own. Any other child that asks ends an
         * invocation of its parent's table. */
        table_id = -1;
        table = map();
        if (table) files_protect_memory(table, sizeof *table);
        return;
    }
    table->owner = 0;
    if (LIKELY(atomic_load(&table->count) == 0)) return;
    struct walk *walk = sys_scratch(sizeof *walk);
    if (!walk) return;
    sys_call(SYS_madvise, walk, sizeof *walk, MADV_NOHUGEPAGE); /* few frames are used */
    walk->tmp = sys_openat(AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (walk->tmp >= 0) {
        remove_all(walk);
        sys_close(walk->tmp);
    }
    sys_scratch_free(walk, sizeof *walk);
}
