/* Files, folders and streams, and how they fail. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <wordexp.h>

#include "acts.h"

static int seen;

static int on_entry(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)path;
    seen += 1 + kind * 100 + at->level * 10000 + (S_ISDIR(status->st_mode) ? 1000000 : 0);
    return 0;
}

static int on_old_entry(const char *path, const struct stat *status, int kind)
{
    (void)path;
    seen += 1 + kind * 100 + (S_ISDIR(status->st_mode) ? 1000000 : 0);
    return 0;
}

static int on_error(const char *path, int error)
{
    printf("  glob: %s %s\n", strrchr(path, '/'), strerrorname_np(error));
    return 0;
}

static int hidden(const struct dirent *entry) { return entry->d_name[0] != '.'; }

void listing(void)
{
    char path[128], target[128];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/d%d", folder, i);
        SHOW(mkdir(path, 0700));
        snprintf(target, sizeof target, "%s/d%d/file.txt", folder, i);
        close(open(target, O_CREAT | O_WRONLY, 0600));
        snprintf(path, sizeof path, "%s/link%d", folder, i);
        SHOW(symlink(target, path));
    }
    seen = 0;
    SHOW(nftw(folder, on_entry, 4, FTW_PHYS));
    printf("nftw: %d\n", seen);
    seen = 0;
    SHOW(nftw(folder, on_entry, 4, FTW_CHDIR | FTW_DEPTH));
    printf("nftw: %d\n", seen);
    seen = 0;
    SHOW(ftw(folder, on_old_entry, 4));
    printf("ftw: %d\n", seen);
    SHOW(nftw("/nonexistent", on_entry, 4, 0));
    glob_t found;
    snprintf(path, sizeof path, "%s/*/*.txt", folder);
    printf("glob: %d", glob(path, 0, on_error, &found));
    printf(" %zu\n", found.gl_pathc);
    globfree(&found);
    snprintf(path, sizeof path, "%s/nothing*", folder);
    printf("glob: %d\n", glob(path, GLOB_ERR, on_error, &found));
    printf("glob: %d",
           glob("/usr/b[i]n/../../et[c]/pass*d", GLOB_BRACE | GLOB_TILDE, NULL, &found));
    printf(" %zu\n", found.gl_pathc);
    globfree(&found);
    struct dirent **names;
    int count = scandir(folder, &names, hidden, alphasort);
    printf("scandir: %d %s\n", count, count > 0 ? names[0]->d_name : "");
    SHOW(scandir("/nonexistent", &names, NULL, NULL));
    SHOW_POINTER(opendir("/etc/passwd"));
    SHOW_POINTER(opendir(""));
    char *roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int entries = 0;
    while (tree && fts_read(tree)) entries++;
    if (tree) fts_close(tree);
    printf("fts: %d\n", entries);
    wordexp_t words;
    snprintf(path, sizeof path, "%s/d[0-2]/* $((1 + 2)) $(echo word)", folder);
    printf("wordexp: %d", wordexp(path, &words, 0));
    printf(" %zu %s\n", words.we_wordc, words.we_wordv[words.we_wordc - 1]);
    wordfree(&words);
    printf("wordexp: %d\n", wordexp("`echo`", &words, WRDE_NOCMD));
    snprintf(path, sizeof path, "rm -r %s", folder);
    system(path);
}

void files(void)
{
    char path[PATH_MAX], other[PATH_MAX],
        *memory = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char *bad = memory;
    struct stat status;
    umask(027);
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    int fd = open(path, O_CREAT | O_RDWR, 0666);
    printf("open: %s, mode %o\n", fd >= 0 ? "done" : "failed",
           fstat(fd, &status) == 0 ? status.st_mode & 07777 : 0);
    close(fd);
    SHOW(open(path, O_CREAT | O_EXCL, 0600));
    SHOW(open(path, O_DIRECTORY));
    SHOW(open(folder, O_WRONLY));
    SHOW(open(folder, O_CREAT, 0600));
    SHOW(open(folder, O_RDONLY | O_TRUNC));
    SHOW(open("", O_RDONLY));
    SHOW(open("", O_CREAT, 0600));
    SHOW(open((char *)1, O_RDONLY));
    SHOW(open(bad, O_CREAT | O_WRONLY, 0600));
    SHOW(open(NULL, O_RDONLY));
    SHOW(openat(999, "x", O_RDONLY));
    SHOW(openat(999, "x", O_CREAT, 0600));
    SHOW(openat(0, "x", O_CREAT, 0600));
    SHOW(openat(999, path, O_RDWR | O_CREAT, 0600));
    SHOW(open("/etc/passwd/x", O_RDONLY));
    SHOW(open("/etc/passwd/x", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/nonexistent/x", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/proc/self/no-such", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600));
    SHOW(open("/dev/stdout", O_WRONLY | O_CREAT | O_APPEND, 0600));
    SHOW(open("/dev/fd/1", O_WRONLY));
    SHOW(open("/dev/fd/77", O_WRONLY));
    char longer[NAME_MAX + 100];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    SHOW(open(longer, O_CREAT | O_WRONLY, 0600));
    SHOW(open(longer, O_RDONLY));
    SHOW(symlink("loop", other));
    SHOW(unlink(other));
    SHOW(symlink(other, other));
    SHOW(open(other, O_RDONLY));
    SHOW(open(other, O_CREAT | O_WRONLY, 0600));
    SHOW(open(other, O_NOFOLLOW | O_RDONLY));
    SHOW(open(other, O_NOFOLLOW | O_PATH));
    SHOW(unlink(other));
    char made[PATH_MAX];
    snprintf(made, sizeof made, "%s/made", folder);
    SHOW(symlink("made", other));
    SHOW(open(other, O_CREAT | O_EXCL | O_WRONLY, 0600));
    SHOW(open(other, O_CREAT | O_WRONLY, 0600));
    SHOW(access(made, F_OK));
    SHOW(rename(path, bad));
    SHOW(rename(bad, path));
    SHOW(rename(made, "/nonexistent/x"));
    SHOW(rename(folder, path));
    SHOW(link(path, made));
    SHOW(link(folder, other));
    SHOW(unlink(folder));
    SHOW(rmdir(path));
    SHOW(rmdir(folder));
    SHOW(rmdir("/tmp/."));
    SHOW(rmdir("."));
    SHOW(rmdir("/"));
    SHOW(mkdir(folder, 0700));
    SHOW(mkdir("/", 0700));
    SHOW(mkdir(bad, 0700));
    SHOW(mkdir("", 0700));
    SHOW(remove(other));
    SHOW(unlink(""));
    SHOW(unlink(bad));
    SHOW(unlink("/tmp/"));
    SHOW(unlinkat(AT_FDCWD, path, AT_REMOVEDIR));
    SHOW(unlinkat(AT_FDCWD, path, 0x4000000));
    SHOW(truncate(made, 10));
    SHOW(truncate(folder, 10));
    SHOW(truncate(bad, 10));
    SHOW(truncate(made, -1));
    SHOW(chmod(made, 0400));
    SHOW(chmod(bad, 0400));
    SHOW(chmod("/nonexistent", 0400));
    SHOW(fchmodat(AT_FDCWD, made, 0600, AT_SYMLINK_NOFOLLOW));
    SHOW(fchmodat(AT_FDCWD, made, 0600, 0x4000000));
    SHOW(chown(made, (uid_t)-1, (gid_t)-1));
    SHOW(fchownat(AT_FDCWD, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH));
    struct timespec times[2] = {{1000000000, 5}, {1000000001, 6}};
    SHOW(utimensat(AT_FDCWD, made, times, 0));
    SHOW(utimensat(AT_FDCWD, made, times, AT_SYMLINK_NOFOLLOW));
    SHOW(stat(made, &status));
    printf("times: %ld %ld\n", (long)status.st_atime, (long)status.st_mtime);
    SHOW(setxattr(made, "user.x", "value", 5, 0));
    SHOW(getxattr(made, "user.x", other, 64));
    SHOW(getxattr(made, "user.y", other, 64));
    SHOW(listxattr(made, NULL, 0));
    SHOW(lremovexattr(made, "user.x"));
    SHOW(readlink(made, other, sizeof other));
    SHOW(readlink(bad, other, sizeof other));
    SHOW(mknod(made, S_IFIFO | 0600, 0));
    SHOW(unlink(made));
    SHOW(mkfifo(made, 0600));
    SHOW(open(made, O_WRONLY | O_NONBLOCK));
    SHOW(open(made, O_WRONLY | O_NONBLOCK | O_CREAT, 0600));
    SHOW(open(made, O_RDWR | O_CREAT | O_TRUNC, 0600));
    SHOW(unlink(made));
    SHOW(open(folder, O_TMPFILE | O_RDWR, 0600));
    SHOW(open(path, O_TMPFILE | O_RDWR, 0600));
    SHOW(open(folder, O_TMPFILE | O_RDONLY, 0600));
    SHOW(unlink(path));
}

void stdio(void)
{
    static const char *const modes[] = {"r",           "w",  "a",  "r+", "w+",
                                        "a+",          "rb", "wx", "we", "wm",
                                        "w,ccs=UTF-8", "",   "q",  "rw", "a,ccs=nonsense"};
    char path[128], line[64] = "";
    snprintf(path, sizeof path, "%s/stream", folder);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        errno = 0;
        FILE *stream = fopen(path, modes[i]);
        printf("%s: %s", modes[i], stream ? "opened" : strerrorname_np(errno));
        if (stream) {
            int flags = fcntl(fileno(stream), F_GETFL), close_on = fcntl(fileno(stream), F_GETFD);
            printf(" %o %d at %ld", flags, close_on, ftell(stream));
            printf(" put %d", fputs("line\n", stream) >= 0 ? 1 : errno);
            clearerr(stream);
            rewind(stream);
            printf(" get %d", fgets(line, sizeof line, stream) ? 1 : errno);
            printf(" closed %d", fclose(stream));
        }
        printf("\n");
    }
    SHOW_POINTER(fopen("/nonexistent/x", "w"));
    SHOW_POINTER(fopen(folder, "w"));
    SHOW_POINTER(fopen(folder, "r"));
    FILE *stream = fopen(path, "w+");
    stream = freopen(path, "a", stream);
    printf("freopen: %d\n", stream ? fputs("more", stream) >= 0 : -1);
    stream = freopen(NULL, "r", stream);
    printf("freopen NULL: %s\n", stream ? "done" : strerrorname_np(errno));
    if (stream) printf("%s\n", fgets(line, sizeof line, stream) ? line : "nothing");
    if (stream) stream = freopen("/nonexistent/x", "r", stream);
    printf("freopen nowhere: %s\n", stream ? "done" : strerrorname_np(errno));
    int before = dup(0);
    stream = freopen("/etc/passwd", "r", stdin);
    printf("stdin: %d, keeps its number %d\n", stream == stdin, stream ? fileno(stream) : -1);
    dup2(before, 0);
    FILE *nameless = tmpfile();
    printf("tmpfile: %d", nameless != NULL);
    if (nameless) printf(" %o %d\n", fcntl(fileno(nameless), F_GETFL), fclose(nameless));
    char template[128];
    snprintf(template, sizeof template, "%s/XXXXXX", folder);
    int fd = mkstemp(template);
    printf("mkstemp: %o %s %d\n", fcntl(fd, F_GETFL),
           strstr(template, "XXXXXX") ? "same" : "filled", unlink(template));
    snprintf(template, sizeof template, "%s/XXXXXX.txt", folder);
    fd = mkostemps(template, 4, O_CLOEXEC | O_APPEND);
    printf("mkostemps: %o %d\n", fcntl(fd, F_GETFL), unlink(template));
    snprintf(template, sizeof template, "%s/XXXXX", folder);
    SHOW(mkstemp(template));
    SHOW_POINTER(mkdtemp(template));
    snprintf(template, sizeof template, "/nonexistent/XXXXXX");
    SHOW(mkstemp(template));
    unlink(path);
}
