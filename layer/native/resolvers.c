/* The system's name servers (resolv.conf(5)). */
#include "resolvers.h"

#include <string.h>

#include "addresses.h"
#include "sys.h"

enum { SERVERS = 8, FILE_MAX = 4096 }; /* libc reads three servers, c-ares more */

static struct {
    uint8_t ip[16], version;
} servers[SERVERS];
static unsigned count;

static void add(const char *text, size_t length)
{
    char host[ADDRESS_TEXT_MAX + 20]; /* with a scope */
    if (count == SERVERS || length == 0 || length >= sizeof host) return;
    memcpy(host, text, length);
    host[length] = '\0';
    if (address_parse(host, servers[count].ip, &servers[count].version)) count++;
}

static void read_line(const char *line, size_t size)
{
    static const char word[] = "nameserver";
    size_t at = sizeof word - 1;
    if (size <= at || memcmp(line, word, at) != 0 || (line[at] != ' ' && line[at] != '\t')) return;
    while (at < size && (line[at] == ' ' || line[at] == '\t')) at++;
    size_t end = at;
    while (end < size && line[end] > ' ') end++;
    add(line + at, end - at);
}

void resolvers_start(void)
{
    char text[FILE_MAX];
    long size = 0;
    int fd = sys_openat(AT_FDCWD, "/etc/resolv.conf", O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        size = sys_read(fd, text, sizeof text);
        sys_close(fd);
    }
    const char *at = text, *end = text + (size > 0 ? size : 0);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        read_line(at, (size_t)(stop - at));
        at = stop + 1;
    }
    /* Without one, libc asks this machine. */
    if (count == 0) add("127.0.0.1", 9);
}

bool resolvers_has(const uint8_t ip[16], uint8_t version)
{
    for (unsigned i = 0; i < count; i++) {
        if (address_equal(ip, version, servers[i].ip, servers[i].version)) return true;
    }
    return false;
}
