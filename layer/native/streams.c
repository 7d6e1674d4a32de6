/* Doors of libc functions that open inside libc: streams and temporary files. They open through files_open and hand the
 * descriptor on, so that what was judged is what is used. */
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "sys.h"

/* fopen's mode as open's flags, as POSIX and glibc have it; -1 where it is none. */
static int flags_of(const char *mode)
{
    int flags;
    if (!mode) return -1;
    if (*mode == 'r')
        flags = O_RDONLY;
    else if (*mode == 'w')
        flags = O_WRONLY | O_CREAT | O_TRUNC;
    else if (*mode == 'a')
        flags = O_WRONLY | O_CREAT | O_APPEND;
    else
        return -1;
    for (mode++; *mode && *mode != ','; mode++) {
        if (*mode == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
        if (*mode == 'x') flags |= O_EXCL;
        if (*mode == 'e') flags |= O_CLOEXEC;
    }
    return flags;
}

DOOR FILE *fopen(const char *path, const char *mode)
{
    int flags = flags_of(mode);
    if (!guard_ready() || files_idle() || flags < 0) return real.fopen(path, mode);
    const char *charset = strstr(mode, ",ccs=");
    if (charset) {
        /* fdopen knows no charset: the object is held while libc opens it by the name that reaches just this object. */
        int held = files_open(AT_FDCWD, path, flags, 0666, CALLER());
        if (held < 0) return NULL;
        char magic[32], simple[64];
        files_magic_path(magic, held);
        /* It exists now: made and truncated already. */
        size_t at = 0;
        for (const char *from = mode; *from && at < sizeof simple - 1; from++)
            if (*from != 'x' || from > charset) simple[at++] = *from;
        simple[at] = '\0';
        FILE *stream = real.fopen(magic, simple);
        int error = errno;
        sys_close(held);
        errno = error;
        return stream;
    }
    int fd = files_open(AT_FDCWD, path, flags, 0666, CALLER());
    if (fd < 0) return NULL;
    /* fopen begins at the end where it can only append, which ftell tells; fdopen leaves the place as it is. */
    if ((flags & O_APPEND) && (flags & O_ACCMODE) == O_WRONLY) sys_call(SYS_lseek, fd, 0, SEEK_END);
    FILE *stream = fdopen(fd, mode);
    if (!stream) {
        int error = errno;
        sys_close(fd);
        errno = error;
    }
    return stream;
}

/* libc's own inner openers, exported for its C++ library: judged before, since they fill a stream that is there already. */
static bool refused(const char *path, int flags, const void *caller)
{
    struct judged judged;
    judged.verdict = files_judge_path(AT_FDCWD, path, flags, judged.path, &judged.family);
    judged.verb = "open";
    return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
}

DOOR FILE *freopen(const char *path, const char *mode, FILE *stream)
{
    int flags = flags_of(mode);
    if (!guard_ready() || files_idle() || !path || flags < 0) return real.freopen(path, mode, stream);
    if (!guard.blocks_any) {
        /* Nothing is refused: libc closes and opens in its own order, which needs no second descriptor. */
        struct stat status;
        int error = errno;
        if ((flags & O_CREAT) || sys_fstatat(AT_FDCWD, path, &status, 0) == 0) (void)refused(path, flags, CALLER());
        errno = error;
        return real.freopen(path, mode, stream);
    }
    int held = files_open(AT_FDCWD, path, flags, 0666, CALLER());
    if (held < 0) {
        /* As libc does: the stream is closed even where the new file cannot be opened. */
        int error = errno;
        fclose(stream);
        errno = error;
        return NULL;
    }
    char magic[32], simple[64];
    files_magic_path(magic, held);
    size_t at = 0;
    for (const char *from = mode; *from && at < sizeof simple - 1; from++)
        if (*from != 'x') simple[at++] = *from;
    simple[at] = '\0';
    FILE *result = real.freopen(magic, simple, stream);
    int error = errno;
    sys_close(held);
    errno = error;
    return result;
}

DOOR FILE *_IO_file_fopen(FILE *stream, const char *path, const char *mode, int is32not64)
{
    int flags = flags_of(mode);
    if (guard_ready() && flags >= 0 && refused(path, flags, CALLER())) return NULL;
    return real._IO_file_fopen(stream, path, mode, is32not64);
}

DOOR FILE *_IO_file_open(FILE *stream, const char *path, int flags, int protection, int read_write, int is32not64)
{
    if (guard_ready() && refused(path, flags, CALLER())) return NULL;
    return real._IO_file_open(stream, path, flags, protection, read_write, is32not64);
}

DOOR FILE *tmpfile(void)
{
    if (!guard_ready() || files_idle()) return real.tmpfile();
    int fd = files_open(AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR | O_EXCL, 0600, CALLER());
    if (fd < 0 && errno != EACCES) return real.tmpfile();
    if (fd < 0) return NULL;
    FILE *stream = fdopen(fd, "w+");
    if (!stream) sys_close(fd);
    return stream;
}

enum { NAME_LETTERS = 6, NAME_TRIES = 1000 };

/* Fills the six letters; false where the template has none. */
static bool fill(char *template, int suffix, char **letters)
{
    size_t size = strlen(template);
    if (suffix < 0 || size < (size_t)suffix + NAME_LETTERS) return false;
    *letters = template + size - (size_t)suffix - NAME_LETTERS;
    return memcmp(*letters, "XXXXXX", NAME_LETTERS) == 0;
}

static void draw(char *letters)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char random[NAME_LETTERS];
    if (sys_call(SYS_getrandom, random, sizeof random, 0) != (long)sizeof random) memset(random, 0, sizeof random);
    for (unsigned i = 0; i < NAME_LETTERS; i++) letters[i] = alphabet[random[i] % 62];
}

static int make_file(char *template, int suffix, int flags, const void *caller)
{
    char *letters;
    if (!fill(template, suffix, &letters)) {
        errno = EINVAL;
        return -1;
    }
    flags = (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL;
    for (unsigned i = 0; i < NAME_TRIES; i++) {
        draw(letters);
        int fd = files_open(AT_FDCWD, template, flags, 0600, caller);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    errno = EEXIST;
    return -1;
}

DOOR int mkstemp(char *template)
{
    if (!guard_ready() || files_idle()) return real.mkstemp(template);
    return make_file(template, 0, 0, CALLER());
}

DOOR int mkostemp(char *template, int flags)
{
    if (!guard_ready() || files_idle()) return real.mkostemp(template, flags);
    return make_file(template, 0, flags, CALLER());
}

DOOR int mkstemps(char *template, int suffix)
{
    if (!guard_ready() || files_idle()) return real.mkstemps(template, suffix);
    return make_file(template, suffix, 0, CALLER());
}

DOOR int mkostemps(char *template, int suffix, int flags)
{
    if (!guard_ready() || files_idle()) return real.mkostemps(template, suffix, flags);
    return make_file(template, suffix, flags, CALLER());
}

DOOR char *mkdtemp(char *template)
{
    char *letters;
    if (!guard_ready() || files_idle() || !fill(template, 0, &letters)) return real.mkdtemp(template);
    for (unsigned i = 0; i < NAME_TRIES; i++) {
        draw(letters);
        if (mkdir(template, 0700) == 0) return template;
        if (errno != EEXIST) return NULL;
    }
    errno = EEXIST;
    return NULL;
}

#include "aliases_streams.gen.h"
