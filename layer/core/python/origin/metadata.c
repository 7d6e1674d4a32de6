#include "python/origin/metadata.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "memory/native.h"
#include "support/folder.h"
#include "support/lock.h"
#include "support/sys.h"
#include "support/text.h"

enum {
    FOLDER_BYTES = 32768, /* of directory entries at a time */
    CHUNK = 65536, /* of a RECORD at a time */
    HEAD = 4096, /* of METADATA: Name and Version stand at its beginning */
    NAME_MAX_SIZE = 512, /* of a file below its root */
    LINE_PART = 2 * NAME_MAX_SIZE + 64, /* of a line: quoted, and below "../" a few times */
    ENTRIES_MAX = 8192, /* of a folder */
    RECORDS_MAX = 16 << 20, /* bytes of all RECORDs in one search */
    NAME_BYTES = METADATA_NAME,
};

struct search {
    int folder;
    const char *rest;
    size_t first; /* the length of its first component */
    long budget;
    char likely[3][NAME_BYTES]; /* normalised: the name that a distribution with this module usually
                                   has */
    unsigned holders; /* distributions that have files in the same package */
    bool unlisted; /* the last such distribution has no RECORD */
    bool bare; /* the distribution that was asked last has none */
    bool dated; /* its list is from before the function began */
    bool failed; /* something could not be read: what was not found may exist */
    char holder[NAME_BYTES]; /* the folder of the last such */
    char entries[FOLDER_BYTES] __attribute__((aligned(8)));
    char chunk[LINE_PART + CHUNK];
};

/* The fd of a regular file, or below zero. Opens nothing that could block, and follows no link. */
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

/* Notes a failure after which the file may still exist: no fd is left, or no right to read. */
static void note_failure(struct search *search, int fd)
{
    if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP && fd != -1)
        search->failed = true;
}

void metadata_normalise(char out[NAME_BYTES], const char *text, size_t length)
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
    if (size == 0 || first == 0 || size >= NAME_MAX_SIZE || first >= NAME_BYTES) return false;
    search->rest = rest;
    search->budget = RECORDS_MAX;
    search->holders = 0;
    search->unlisted = false;
    search->first = first;
    bool folder = rest[first] == '/';
    /* yaml, google-cloud, google-cloud-storage. A module's own name ends before its suffix. */
    size_t end = folder ? first : strcspn(rest, ".");
    for (unsigned i = 0; i < 3; i++) {
        metadata_normalise(search->likely[i], rest, end);
        if (rest[end] != '/') continue;
        size_t more = strcspn(rest + end + 1, "/");
        if (rest[end + 1 + more] == '/') end += 1 + more;
    }
    return true;
}

/* The length of the name in "PyYAML-6.0.1.dist-info", or 0 if the entry is not metadata. */
static size_t name_length(const char *entry)
{
    size_t size = strlen(entry);
    if (size <= 10 || size >= NAME_BYTES) return 0;
    if (strcmp(entry + size - 10, ".dist-info") != 0 && strcmp(entry + size - 9, ".egg-info") != 0)
        return 0;
    size_t length = strcspn(entry, "-");
    size_t whole = size - (entry[size - 10] == '.' ? 10 : 9);
    return length < whole ? length : whole;
}

static bool is_likely(const struct search *search, const char *entry, size_t length)
{
    char name[NAME_BYTES];
    metadata_normalise(name, entry, length);
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(name, search->likely[i]) == 0) return true;
    return false;
}

enum answer { ABSENT, SILENT, SAME_PACKAGE, THIS_FILE };

static bool follows(const char *at, const char *end, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(end - at) > size && memcmp(at, text, size) == 0;
}

/* What the line of RECORD at `at` says about the file. RECORD is CSV: a name with a comma, a
 * quote or a newline is quoted. Two installers write another name than the file's: `pip install
 * -t` keeps a wheel's data and scripts as "../../REST", and AWS SAM "X.data/purelib/REST". */
static enum answer ask_line(const char *at, const char *end, const char *file, size_t first)
{
    bool quoted = at < end && *at == '"', outside = false;
    if (quoted) at++;
    for (; follows(at, end, "../"); at += 3) outside = true;
    const char *slash = memchr(at, '/', (size_t)(end - at));
    if (slash && slash - at > 5 && memcmp(slash - 5, ".data", 5) == 0 &&
        (follows(slash, end, "/purelib/") || follows(slash, end, "/platlib/")))
        at = slash + 9;
    size_t same = 0;
    for (; at < end && file[same] && *at == file[same]; at++, same++)
        if (quoted && *at == '"') at++; /* two stand for one */
    /* RECORD lists the source, whether the file is compiled or not. */
    bool whole = !file[same] || (same > 3 && strcmp(file + same - 3, ".pyc") == 0);
    if (whole && (at >= end || strchr(quoted ? "\"" : ",\r\n", *at))) return THIS_FILE;
    return same > first && !outside ? SAME_PACKAGE : SILENT;
}

/* What a list of files, one on each line, says about the file. */
static enum answer ask_list(struct search *search, int folder, const char *list, const char *file,
                            size_t first)
{
    int fd = open_file(folder, list);
    note_failure(search, fd);
    if (fd < 0) return ABSENT;
    struct stat status;
    enum answer answer = SILENT;
    search->dated = sys_fstat(fd, &status) == 0 && native_dates_before(&status);
    size_t kept = 1;
    search->chunk[0] = '\n'; /* so that the first line begins like the others */
    for (long size = 1; size > 0 && answer != THIS_FILE;) {
        size = search->budget > 0 ? sys_read(fd, search->chunk + kept, CHUNK) : -EFBIG;
        search->failed |= size < 0;
        if (size > 0) search->budget -= size;
        const char *line = search->chunk, *end = line + kept + (size > 0 ? size : 0);
        /* A line that continues in the next chunk is read with that. */
        while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL &&
               (size <= 0 || end - line >= LINE_PART) && answer != THIS_FILE) {
            enum answer said = ask_line(++line, end, file, first);
            if (said > answer) answer = said;
        }
        kept = line ? (size_t)(end - line) : 0;
        if (line) memmove(search->chunk, line, kept);
    }
    sys_close(fd);
    return answer;
}

static enum answer ask_entry(struct search *search, const char *entry)
{
    int folder = open_folder(search->folder, entry);
    note_failure(search, folder);
    if (folder < 0) return ABSENT;
    enum answer answer = ask_list(search, folder, "RECORD", search->rest, search->first);
    search->bare = false;
    if (answer == ABSENT) {
        /* Without a RECORD, as Debian's packages and slimmed bundles are: the modules' names. */
        char module[NAME_BYTES];
        size_t length =
            search->rest[search->first] == '/' ? search->first : strcspn(search->rest, ".");
        text_take(module, sizeof module, search->rest, length);
        answer = ask_list(search, folder, "top_level.txt", module, length);
        if (answer == THIS_FILE) answer = SAME_PACKAGE;
        search->bare = true;
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
            text_take(out, size, value, (size_t)(line + end - value));
            return out[0] != '\0';
        }
        line += end;
        line += *line == '\r';
        line += *line == '\n';
    }
    return false;
}

/* Sets name and version from the entry's METADATA, or else from the entry's name. */
static void describe(struct search *search, const char *entry, struct metadata *found)
{
    size_t size = strlen(entry), length = name_length(entry);
    size_t whole = size - (entry[size - 10] == '.' ? 10 : 9);
    text_take(found->name, sizeof found->name, entry, length);
    if (length < whole) {
        size_t end = strcspn(entry + length + 1, "-");
        text_take(found->version, sizeof found->version, entry + length + 1,
                  end < whole - length - 1 ? end : whole - length - 1);
    }
    int folder = open_folder(search->folder, entry);
    int fd = folder < 0 ? open_file(search->folder, entry) : open_file(folder, "METADATA");
    if (fd < 0 && folder >= 0) fd = open_file(folder, "PKG-INFO");
    long read = fd < 0 ? 0 : sys_read(fd, search->chunk, HEAD - 1);
    search->chunk[read > 0 ? read : 0] = '\0';
    char name[sizeof found->name], own[NAME_BYTES], said[NAME_BYTES];
    /* A Name that differs from the folder's name belongs to no distribution. */
    if (header(search->chunk, "Name:", name, sizeof name)) {
        metadata_normalise(own, entry, length);
        metadata_normalise(said, name, strlen(name));
        if (strcmp(own, said) == 0) memcpy(found->name, name, sizeof name);
    }
    header(search->chunk, "Version:", found->version, sizeof found->version);
    if (fd >= 0) sys_close(fd);
    if (folder >= 0) sys_close(folder);
}

/* How many entries of the folder are metadata of the distribution `name` (normalised); the last of
 * them goes to `entry`. UINT_MAX if not all could be read. `bytes` is of FOLDER_BYTES. */
static unsigned entries_named(int folder, char *bytes, const char *name, char entry[NAME_BYTES])
{
    struct folder listing = {.fd = folder, .bytes = bytes, .room = FOLDER_BYTES};
    unsigned count = 0, seen = 0;
    if (sys_call(SYS_lseek, folder, 0, 0 /* SEEK_SET */) != 0) return UINT_MAX;
    for (const char *next; seen++ < ENTRIES_MAX && (next = folder_next(&listing)) != NULL;) {
        char own[NAME_BYTES];
        metadata_normalise(own, next, name_length(next));
        if (own[0] == '\0' || strcmp(own, name) != 0) continue;
        text_copy(entry, NAME_BYTES, next);
        count++;
    }
    return listing.size == 0 ? count : UINT_MAX;
}

/* Any wheel can bring metadata under any name. If there are two of one name, neither counts. */
static bool is_only_one(struct search *search, const struct metadata *found)
{
    char name[NAME_BYTES], entry[NAME_BYTES];
    metadata_normalise(name, found->name, strlen(found->name));
    return entries_named(search->folder, search->entries, name, entry) == 1;
}

/* Goes through the folder's metadata, the likely ones or the others. True where `ask` ended it. */
static bool each(struct search *search, bool likely,
                 bool (*ask)(struct search *, const char *, void *), void *more)
{
    unsigned entries = 0;
    if (sys_call(SYS_lseek, search->folder, 0, 0 /* SEEK_SET */) != 0) {
        search->failed = true;
        return false;
    }
    struct folder folder = {
        .fd = search->folder, .bytes = search->entries, .room = sizeof search->entries};
    for (const char *name; entries++ < ENTRIES_MAX && (name = folder_next(&folder)) != NULL;) {
        size_t length = name_length(name);
        if (length > 0 && is_likely(search, name, length) == likely && ask(search, name, more))
            return true;
    }
    search->failed |= folder.size != 0; /* not the end of the folder */
    return false;
}

static bool ask_one(struct search *search, const char *entry, void *more)
{
    enum answer answer = ask_entry(search, entry);
    if (answer >= SAME_PACKAGE) {
        search->holders++;
        search->unlisted = search->bare && search->dated;
        text_copy(search->holder, sizeof search->holder, entry);
    } else if (answer == ABSENT && is_likely(search, entry, name_length(entry))) {
        /* Only its name suggests this distribution, which is better than no answer. */
        search->holders++;
        text_copy(search->holder, sizeof search->holder, entry);
    }
    if (answer != THIS_FILE) return false;
    struct metadata *found = more;
    describe(search, entry, found);
    found->exact = search->dated && is_only_one(search, found);
    return true;
}

static bool look(struct search *search, struct metadata *found)
{
    if (each(search, true, ask_one, found) || each(search, false, ask_one, found)) return true;
    /* A file that was added later to the package of one distribution belongs to it. A namespace of
     * several distributions has no owner. */
    found->claimed = search->holders > 0;
    if (search->holders != 1) return false;
    describe(search, search->holder, found);
    found->exact = search->unlisted && is_only_one(search, found);
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
    if (length < 2 || strncmp(project->path, url, length) != 0 || project->path[length] != '/')
        return false;
    describe(search, entry, project->found);
    return true;
}

/* ---- what is remembered ---- */

enum { REMEMBERED = 64, PLACE_MAX = 512 };

static struct memory {
    char place[PLACE_MAX]; /* root, NUL, rest or the file's whole path; "" where free */
    bool known;
    struct metadata metadata;
} memory[REMEMBERED];
static unsigned next;
LOCK(remembered);

static struct memory *recall(const char *place, size_t size)
{
    for (unsigned i = 0; i < REMEMBERED; i++)
        if (memcmp(memory[i].place, place, size) == 0) return &memory[i];
    return NULL;
}

static bool search_in(const char *root, const char *rest, const char *project_path,
                      struct metadata *found)
{
    struct search *search = sys_scratch(sizeof *search);
    bool known = false;
    if (!search) return false;
    search->folder = begin(search, rest) ? open_folder(AT_FDCWD, root) : -ENAMETOOLONG;
    note_failure(search, search->folder);
    if (search->folder >= 0) {
        struct project project = {project_path, found};
        known = project_path ? each(search, true, ask_project, &project) : look(search, found);
        sys_close(search->folder);
    }
    found->searched = !search->failed;
    sys_scratch_free(search, sizeof *search);
    return known;
}

static bool find(const char *root, const char *rest, const char *project_path,
                 struct metadata *found)
{
    char place[PLACE_MAX] = "";
    const char *object = project_path ? project_path : rest;
    size_t root_size = strlen(root), size = root_size + strlen(object) + 2;
    memset(found, 0, sizeof *found);
    if (root[0] != '/' || size > sizeof place || !lock_take(&remembered)) return false;
    memcpy(place, root, root_size);
    memcpy(place + root_size + 1, object, size - root_size - 1);
    struct memory *there = recall(place, size);
    if (!there) {
        there = &memory[next++ % REMEMBERED];
        there->place[0] = '\0';
        memset(&there->metadata, 0, sizeof there->metadata);
        there->known = search_in(root, rest, project_path, &there->metadata);
        /* What could not be read may be readable the next time. */
        if (there->metadata.searched) memcpy(there->place, place, size);
    }
    bool known = there->known;
    *found = there->metadata;
    lock_give(&remembered);
    return known;
}

bool metadata_of(const char *root, const char *rest, struct metadata *found)
{
    return find(root, rest, NULL, found);
}

bool metadata_editable(const char *site, const char *rest, const char *path, struct metadata *found)
{
    return find(site, rest, path, found);
}

int metadata_open(const char *root, const char *name)
{
    char entry[NAME_BYTES], *bytes = sys_scratch(FOLDER_BYTES);
    int folder = bytes ? open_folder(AT_FDCWD, root) : -ENOMEM, fd = folder;
    if (folder >= 0) {
        unsigned count = entries_named(folder, bytes, name, entry);
        int inner = count == 1 ? open_folder(folder, entry) : count == 0 ? -ENOENT : -EEXIST;
        fd = inner < 0 ? inner : open_file(inner, "METADATA");
        if (inner >= 0) sys_close(inner);
        sys_close(folder);
    }
    sys_scratch_free(bytes, FOLDER_BYTES);
    return fd;
}
