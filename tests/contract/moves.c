/* Acts on two paths, by each libc function that takes two. argv: the act, and its paths. Prints
 * the result and errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    const char *act = argv[1], *from = argv[2], *to = argv[3];
    int root = open("/", O_PATH | O_DIRECTORY), result = -2;
    errno = 0;
    if (!strcmp(act, "rename")) result = rename(from, to);
    if (!strcmp(act, "renameat")) result = renameat(root, from + 1, root, to + 1);
    if (!strcmp(act, "renameat2")) result = renameat2(AT_FDCWD, from, root, to + 1, 0);
    if (!strcmp(act, "syscall"))
        result = (int)syscall(SYS_renameat2, root, from + 1, AT_FDCWD, to, 0);
    if (!strcmp(act, "link")) result = link(from, to);
    if (!strcmp(act, "linkat")) result = linkat(AT_FDCWD, from, root, to + 1, 0);
    if (!strcmp(act, "linkat_follow"))
        result = linkat(root, from + 1, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
    printf("%d %d\n", result, result < 0 ? errno : 0);
    return 0;
}
