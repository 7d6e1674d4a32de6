/* Doors of libc functions that open inside libc: streams and temporary files. They open through
 * files_open and pass the fd on, so that the stream uses the object that was judged. */
#include "files/streams.h"

#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "files/files.h"
#include "support/sys.h"
#include "support/text.h"

/* The flags of open for a mode of fopen, as POSIX and glibc define it; -1 if it is not a mode. */
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

FILE *streams_open(int fd, const char *mode)
{
    struct stat status;
    FILE *stream = NULL;
    fd = files_reserve(fd);
    if (fd < 0) return errno = -fd, NULL;
    /* An open never returns a socket: another thread has put one at this fd. */
    if (UNLIKELY(sys_fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode)))
        errno = EACCES;
    else
        stream = real.fdopen(fd, mode);
    if (stream)
        files_let_go(fd);
    else
        files_release(fd);
    return stream;
}

/* Opens the object of `fd` by its path in /proc/self/fd, and closes `fd`. The file exists by now,
 * so `x` is left out before `end` of the mode: it would make libc fail. */
static FILE *open_again(int fd, const char *mode, const char *end, FILE *stream)
{
    char magic[32], simple[64];
    size_t at = 0;
    text_fd_path(magic, fd);
    for (const char *from = mode; *from && at < sizeof simple - 1; from++)
        if (*from != 'x' || from >= end) simple[at++] = *from;
    simple[at] = '\0';
    FILE *result = stream ? real.freopen(magic, simple, stream) : real.fopen(magic, simple);
    sys_close(fd);
    return result;
}

static FILE *judged_fopen(const struct path *path, const struct path *copied_mode,
                          const void *caller)
{
    const char *mode = copied_mode->text;
    int flags = flags_of(mode);
    if (flags < 0) return real.fopen(path->text, mode); /* EINVAL */
    const char *charset = strstr(mode, ",ccs=");
    int fd = files_open(AT_FDCWD, path, flags, 0666, caller);
    if (fd < 0) return NULL;
    if (charset) return open_again(fd, mode, charset, NULL); /* fdopen takes none */
    /* In append mode fopen starts at the end, which ftell shows. fdopen leaves the offset as it
     * is. */
    if ((flags & O_APPEND) && (flags & O_ACCMODE) == O_WRONLY) sys_call(SYS_lseek, fd, 0, SEEK_END);
    return streams_open(fd, mode);
}

static bool refused(const struct path *path, int flags, const void *caller)
{
    return files_refuses_path(AT_FDCWD, path, flags & ~FILES_OWN_BITS, "open", caller);
}

static FILE *judged_freopen(const struct path *path, const struct path *copied_mode, FILE *stream,
                            const void *caller)
{
    const char *mode = copied_mode->text;
    int flags = flags_of(mode);
    if (flags < 0) return real.freopen(path->text, mode, stream); /* EINVAL */
    if (!guard.blocks_any) {
        /* Nothing is refused: libc closes and opens in its own order, which needs no second fd.
         */
        struct stat status;
        int error = errno;
        if ((flags & O_CREAT) || sys_fstatat(AT_FDCWD, path->text, &status, 0) == 0)
            (void)refused(path, flags, caller);
        errno = error;
        return real.freopen(path->text, mode, stream);
    }
    int fd = files_open(AT_FDCWD, path, flags, 0666, caller);
    if (fd < 0) {
        /* As in libc, the stream is closed even if the new file cannot be opened. */
        int error = errno;
        fclose(stream);
        errno = error;
        return NULL;
    }
    return open_again(fd, mode, mode + strlen(mode), stream);
}

/* libc's inner functions that open, exported for its C++ library. Judged first, because they fill a
 * stream that exists already. */
static bool mode_refused(const struct path *path, const struct path *mode, const void *caller)
{
    int flags = flags_of(mode->text);
    return flags >= 0 && refused(path, flags, caller);
}

DOOR FILE *tmpfile(void)
{
    if (!guard_ready() || files_idle()) return real.tmpfile();
    struct path folder = copied_own("/tmp");
    int fd = files_open(AT_FDCWD, &folder, O_TMPFILE | O_RDWR | O_EXCL, 0600, CALLER());
    if (fd < 0 && errno != EACCES) return real.tmpfile();
    if (fd < 0) return NULL;
    return streams_open(fd, "w+");
}

enum { NAME_LETTERS = 6, NAME_TRIES = 1000 };

/* The six X of our copy of a template, before its last `suffix` bytes; NULL if it has none. */
static char *letters_of(const struct path *template, int suffix)
{
    if (suffix < 0 || template->size < (size_t)suffix + NAME_LETTERS) return NULL;
    char *letters =
        (char *)(uintptr_t)template->text + template->size - (size_t)suffix - NAME_LETTERS;
    return memcmp(letters, "XXXXXX", NAME_LETTERS) == 0 ? letters : NULL;
}

static void draw(char *letters)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char random[NAME_LETTERS];
    if (sys_call(SYS_getrandom, random, sizeof random, 0) != (long)sizeof random)
        memset(random, 0, sizeof random);
    for (unsigned i = 0; i < NAME_LETTERS; i++) letters[i] = alphabet[random[i] % 62];
}

/* Writes the name that was made into the caller's template, as libc does. */
static int make_file(char *given, const struct path *template, int suffix, int flags,
                     const void *caller)
{
    char *letters = letters_of(template, suffix);
    if (!letters) return errno = EINVAL, -1;
    flags = (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL;
    for (unsigned i = 0; i < NAME_TRIES; i++) {
        draw(letters);
        int fd = files_open(AT_FDCWD, template, flags, 0600, caller);
        memcpy(given + (letters - template->text), letters, NAME_LETTERS);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    errno = EEXIST;
    return -1;
}

/* Written by hand, because these doors write to the caller's memory too. */
#define TEMPLATE(given, suffix, flags, bare)                                                       \
    if (!files_ready()) return bare;                                                               \
    COPY_PATH(template, given);                                                                    \
    if (template.error) return errno = template.error, -1;                                         \
    return make_file(given, &template, suffix, flags, CALLER())

DOOR int mkstemp(char *given) { TEMPLATE(given, 0, 0, real.mkstemp(given)); }
DOOR int mkostemp(char *given, int flags)
{
    TEMPLATE(given, 0, flags, real.mkostemp(given, flags));
}
DOOR int mkstemps(char *given, int suffix)
{
    TEMPLATE(given, suffix, 0, real.mkstemps(given, suffix));
}
DOOR int mkostemps(char *given, int suffix, int flags)
{
    TEMPLATE(given, suffix, flags, real.mkostemps(given, suffix, flags));
}

DOOR char *mkdtemp(char *given)
{
    if (!files_ready()) return real.mkdtemp(given);
    COPY_PATH(template, given);
    if (template.error) return errno = template.error, NULL;
    char *letters = letters_of(&template, 0);
    if (!letters) return errno = EINVAL, NULL;
    for (unsigned i = 0; i < NAME_TRIES; i++) {
        draw(letters);
        int made = files_make_folder(&template, CALLER());
        memcpy(given + (letters - template.text), letters, NAME_LETTERS);
        if (made == 0) return given;
        if (errno != EEXIST) return NULL;
    }
    errno = EEXIST;
    return NULL;
}

#include "doors_streams.gen.h"
