/* Preloaded into CRIU. Since Linux 6.16 these options exist only for UNIX sockets, and CRIU 4.1
 * gives up if another socket does not support them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    int (*real)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");
    int result = real(fd, level, name, value, size);
    if (result == 0 || errno != EOPNOTSUPP || level != SOL_SOCKET ||
        (name != SO_PASSCRED && name != SO_PASSSEC))
        return result;
    memset(value, 0, *size);
    return 0;
}
