#include "metadata.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "sys.h"

enum {
    FOLDER_BYTES = 32768,       /* of directory entries at a time */
    CHUNK = 65536,              /* of a RECORD at a time */
    HEAD = 4096,                /* of METADATA: Name and Version stand at its beginning */
    NEEDLE_MAX = 512,
    ENTRIES_MAX = 8192,         /* of a folder */
    RECORDS_MAX = 16 << 20,     /* bytes of all RECORDs in one search */
    NAME_BYTES = 256,
};

struct search {
    int folder;
    const char *rest;
    size_t first;               /* the length of its first component */
    long budget;
    char exact[NEEDLE_MAX], prefix[NEEDLE_MAX]; /* "\nyaml/reader.py,", "\nyaml/" */
    char likely[3][NAME_BYTES]; /* normalised: what a distribution with this module is mostly called */
    unsigned holders;           /* distributions that have files in the same package */
    char holder[NAME_BYTES];    /* the folder of the last such */
    char entries[FOLDER_BYTES], chunk[1 + NEEDLE_MAX + CHUNK];
};

/* linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name. */
enum { RECLEN_AT = 16, NAME_AT = 19 };

static void put(char *out, size_t size, const char *text, size_t length)
{
    if (length > size - 1) length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

/* A regular file's descriptor, below zero where there is none. Nothing that could wait, nothing behind a link. */
static int open_file(int folder, const char *name)
{
    struct stat status;
    int fd = sys_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0) return fd;
    if (sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
    sys_close(fd);
    return -1;
}

static int open_folder(int folder, const char *name)
{
    return sys_openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

/* PEP 503: lower case, one dash for any run of "-_.". `length` bytes of `text`. */
static void normalise(char out[NAME_BYTES], const char *text, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length && at < NAME_BYTES - 1; i++) {
        char c = text[i];
        if (c == '-' || c == '_' || c == '.') {
            if (at > 0 && out[at - 1] != '-') out[at++] = '-';
        } else {
            out[at++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
    }
    out[at] = '\0';
}

static bool begin(struct search *search, const char *rest)
{
    size_t size = strlen(rest), first = strcspn(rest, "/");
    if (size == 0 || first == 0 || size + 3 > NEEDLE_MAX || first >= NAME_BYTES) return false;
    search->rest = rest;
    search->budget = RECORDS_MAX;
    search->holders = 0;
    search->exact[0] = search->prefix[0] = '\n';
    memcpy(search->exact + 1, rest, size);
    strcpy(search->exact + 1 + size, ",");
    /* Compiled or not, RECORD has the source. */
    if (size > 4 && strcmp(rest + size - 4, ".pyc") == 0) strcpy(search->exact + size, ",");
    search->first = first;
    bool folder = rest[first] == '/';
    memcpy(search->prefix + 1, rest, first);
    strcpy(search->prefix + 1 + first, folder ? "/" : ",");
    /* yaml, google-cloud, google-cloud-storage. A module's own name ends before its suffix. */
    size_t end = folder ? first : strcspn(rest, ".");
    for (unsigned i = 0; i < 3; i++) {
        normalise(search->likely[i], rest, end);
        if (rest[end] != '/') continue;
        size_t more = strcspn(rest + end + 1, "/");
        if (rest[end + 1 + more] == '/') end += 1 + more;
    }
    return true;
}

/* The length of the name in "PyYAML-6.0.1.dist-info", 0 where an entry is no metadata. */
static size_t name_length(const char *entry)
{
    size_t size = strlen(entry);
    if (size <= 10 || size >= NAME_BYTES) return 0;
    if (strcmp(entry + size - 10, ".dist-info") != 0 && strcmp(entry + size - 9, ".egg-info") != 0) return 0;
    size_t length = strcspn(entry, "-");
    size_t whole = size - (entry[size - 10] == '.' ? 10 : 9);
    return length < whole ? length : whole;
}

static bool is_likely(const struct search *search, const char *entry, size_t length)
{
    char name[NAME_BYTES];
    normalise(name, entry, length);
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(name, search->likely[i]) == 0) return true;
    return false;
}

enum answer { ABSENT, SILENT, SAME_PACKAGE, THIS_FILE };

/* What a list of files, one a line, says of the file. */
static enum answer ask_list(struct search *search, int folder, const char *list, const char *exact, const char *prefix)
{
    int fd = open_file(folder, list);
    if (fd < 0) return ABSENT;
    enum answer answer = SILENT;
    size_t exact_size = strlen(exact), prefix_size = strlen(prefix), kept = 1;
    search->chunk[0] = '\n'; /* the first line begins as the others do */
    for (;;) {
        long size = search->budget > 0 ? sys_read(fd, search->chunk + kept, CHUNK) : 0;
        if (size <= 0) break;
        search->budget -= size;
        size_t filled = kept + (size_t)size;
        if (memmem(search->chunk, filled, exact, exact_size)) {
            answer = THIS_FILE;
            break;
        }
        if (answer == SILENT && memmem(search->chunk, filled, prefix, prefix_size)) answer = SAME_PACKAGE;
        kept = filled < NEEDLE_MAX ? filled : NEEDLE_MAX;
        memmove(search->chunk, search->chunk + filled - kept, kept);
    }
    sys_close(fd);
    return answer;
}

static enum answer ask_entry(struct search *search, const char *entry)
{
    int folder = open_folder(search->folder, entry);
    if (folder < 0) return ABSENT;
    enum answer answer = ask_list(search, folder, "RECORD", search->exact, search->prefix);
    if (answer == ABSENT) {
        /* Without a RECORD, as Debian's packages and slimmed bundles are: the modules' names. */
        char line[NAME_BYTES + 3] = "\n";
        size_t length = search->rest[search->first] == '/' ? search->first : strcspn(search->rest, ".");
        put(line + 1, sizeof line - 2, search->rest, length);
        strcat(line, "\n");
        answer = ask_list(search, folder, "top_level.txt", line, line);
        if (answer == THIS_FILE) answer = SAME_PACKAGE;
    }
    sys_close(folder);
    return answer;
}

static bool header(const char *text, const char *key, char *out, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = text; *line && *line != '\n' && *line != '\r';) {
        size_t end = strcspn(line, "\r\n");
        if (end > length && strncmp(line, key, length) == 0) {
            const char *value = line + length + strspn(line + length, " \t");
            put(out, size, value, (size_t)(line + end - value));
            return out[0] != '\0';
        }
        line += end;
        line += *line == '\r';
        line += *line == '\n';
    }
    return false;
}

/* Name and version as the entry's METADATA has them, else as its own name does. */
static void describe(struct search *search, const char *entry, struct metadata *found)
{
    size_t size = strlen(entry), length = name_length(entry);
    size_t whole = size - (entry[size - 10] == '.' ? 10 : 9);
    put(found->name, sizeof found->name, entry, length);
    if (length < whole) {
        size_t end = strcspn(entry + length + 1, "-");
        put(found->version, sizeof found->version, entry + length + 1, end < whole - length - 1 ? end : whole - length - 1);
    }
    int folder = open_folder(search->folder, entry);
    int fd = folder < 0 ? open_file(search->folder, entry) : open_file(folder, "METADATA");
    if (fd < 0 && folder >= 0) fd = open_file(folder, "PKG-INFO");
    long read = fd < 0 ? 0 : sys_read(fd, search->chunk, HEAD - 1);
    search->chunk[read > 0 ? read : 0] = '\0';
    char name[sizeof found->name], own[NAME_BYTES], said[NAME_BYTES];
    /* A name that is another than the folder's own is nobody's. */
    if (header(search->chunk, "Name:", name, sizeof name)) {
        normalise(own, entry, length);
        normalise(said, name, strlen(name));
        if (strcmp(own, said) == 0) memcpy(found->name, name, sizeof name);
    }
    header(search->chunk, "Version:", found->version, sizeof found->version);
    if (fd >= 0) sys_close(fd);
    if (folder >= 0) sys_close(folder);
}

/* Goes through the folder's metadata, the likely ones or the others. True where `ask` ended it. */
static bool each(struct search *search, bool likely, bool (*ask)(struct search *, const char *, void *), void *more)
{
    unsigned entries = 0;
    if (sys_call(SYS_lseek, search->folder, 0, 0 /* SEEK_SET */) != 0) return false;
    for (;;) {
        long size = sys_call(SYS_getdents64, search->folder, search->entries, sizeof search->entries);
        if (size <= 0) return false;
        for (long at = 0; at + NAME_AT < size;) {
            uint16_t step;
            memcpy(&step, search->entries + at + RECLEN_AT, sizeof step);
            const char *name = search->entries + at + NAME_AT;
            if (step == 0 || at + step > size || entries++ >= ENTRIES_MAX) return false;
            at += step;
            size_t length = name_length(name);
            if (length > 0 && is_likely(search, name, length) == likely && ask(search, name, more)) return true;
        }
    }
}

static bool ask_one(struct search *search, const char *entry, void *more)
{
    enum answer answer = ask_entry(search, entry);
    if (answer >= SAME_PACKAGE) {
        search->holders++;
        put(search->holder, sizeof search->holder, entry, strlen(entry));
    } else if (answer == ABSENT && is_likely(search, entry, name_length(entry))) {
        /* Nothing but its name speaks for it; better than none. */
        search->holders++;
        put(search->holder, sizeof search->holder, entry, strlen(entry));
    }
    if (answer == THIS_FILE) describe(search, entry, more);
    return answer == THIS_FILE;
}

static bool look(struct search *search, struct metadata *found)
{
    if (each(search, true, ask_one, found) || each(search, false, ask_one, found)) return true;
    /* A file that came later, into the package of one distribution: a namespace of several has no owner. */
    if (search->holders != 1) return false;
    describe(search, search->holder, found);
    return true;
}

struct project {
    const char *path;
    struct metadata *found;
};

static bool ask_project(struct search *search, const char *entry, void *more)
{
    static const char key[] = "\"file://";
    const struct project *project = more;
    int folder = open_folder(search->folder, entry);
    int fd = folder < 0 ? folder : open_file(folder, "direct_url.json");
    long size = fd < 0 ? 0 : sys_read(fd, search->chunk, HEAD - 1);
    if (fd >= 0) sys_close(fd);
    if (folder >= 0) sys_close(folder);
    if (size <= 0) return false;
    search->chunk[size] = '\0';
    const char *url = strstr(search->chunk, key);
    if (!url) return false;
    url += sizeof key - 1;
    size_t length = strcspn(url, "\"");
    while (length > 1 && url[length - 1] == '/') length--;
    if (length < 2 || strncmp(project->path, url, length) != 0 || project->path[length] != '/') return false;
    describe(search, entry, project->found);
    return true;
}

/* ---- what is remembered ---- */

enum { REMEMBERED = 64, PLACE_MAX = 256, TRIES = 2000 };

static struct memory {
    char place[PLACE_MAX]; /* root, NUL, rest or the file's whole path; "" where free */
    bool known;
    struct metadata metadata;
} memory[REMEMBERED];
static unsigned next;
static _Atomic int holder; /* the process that is at it; 0: none */

/* Others wait for a bounded time: a signal may have stopped the one who holds it in this very thread. */
static bool enter(void)
{
    int own = sys_getpid();
    for (unsigned i = 0; i < TRIES; i++) {
        int there = atomic_load(&holder);
        if (there == own) {
            sys_call(SYS_sched_yield);
            continue;
        }
        /* Held by a thread of the parent, which this fork does not have. */
        if (atomic_compare_exchange_strong(&holder, &there, own)) return true;
    }
    return false;
}

static void leave(void) { atomic_store(&holder, 0); }

static struct memory *recall(const char *place, size_t size)
{
    for (unsigned i = 0; i < REMEMBERED; i++)
        if (memcmp(memory[i].place, place, size) == 0) return &memory[i];
    return NULL;
}

static bool search_in(const char *root, const char *rest, const char *project_path, struct metadata *found)
{
    struct search *search = sys_scratch(sizeof *search);
    bool known = false;
    if (!search) return false;
    search->folder = begin(search, rest) ? open_folder(AT_FDCWD, root) : -1;
    if (search->folder >= 0) {
        struct project project = {project_path, found};
        known = project_path ? each(search, true, ask_project, &project) : look(search, found);
        sys_close(search->folder);
    }
    sys_scratch_free(search, sizeof *search);
    return known;
}

static bool find(const char *root, const char *rest, const char *project_path, struct metadata *found)
{
    char place[PLACE_MAX] = "";
    const char *object = project_path ? project_path : rest;
    size_t root_size = strlen(root), size = root_size + strlen(object) + 2;
    memset(found, 0, sizeof *found);
    if (root[0] != '/' || size > sizeof place || !enter()) return false;
    memcpy(place, root, root_size);
    memcpy(place + root_size + 1, object, size - root_size - 1);
    struct memory *there = recall(place, size);
    if (!there) {
        there = &memory[next++ % REMEMBERED];
        there->place[0] = '\0';
        memset(&there->metadata, 0, sizeof there->metadata);
        there->known = search_in(root, rest, project_path, &there->metadata);
        memcpy(there->place, place, size);
    }
    bool known = there->known;
    *found = there->metadata;
    leave();
    return known;
}

bool metadata_of(const char *root, const char *rest, struct metadata *found) { return find(root, rest, NULL, found); }

bool metadata_editable(const char *site, const char *rest, const char *path, struct metadata *found)
{
    return find(site, rest, path, found);
}
