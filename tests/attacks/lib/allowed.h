/* What C attacks on first bytes share: the server of an allowed name, and connections to it. */
#ifndef ALLOWED_H
#define ALLOWED_H

#include "attack.h"
#include <netdb.h>
#include <poll.h>

static const struct sockaddr_in allowed_place = {
    AF_INET, 0xbb01 /* 443 */, {0x4342427f /* 127.66.66.67 */}};

/* A listener at the address of a name that the policy allows. */
static inline int allowed_listener(void)
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct addrinfo *found = NULL;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&allowed_place, sizeof allowed_place) != 0 ||
        listen(listener, 64) != 0 || getaddrinfo("api.allowed.example", "443", NULL, &found) != 0)
        exit(stopped("the allowed name's server"));
    return listener;
}

static inline int allowed_connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)&allowed_place, sizeof allowed_place) != 0)
        exit(stopped("connect"));
    return fd;
}

/* Whether the next waiting connection carries the secret. Waits up to `milliseconds` for the
 * connection and for its first bytes. */
static inline int allowed_heard(int listener, int milliseconds)
{
    char text[4096] = "";
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    if (poll(&waiting, 1, milliseconds) != 1) return 0;
    int peer = accept(listener, NULL, NULL);
    waiting.fd = peer;
    ssize_t size = poll(&waiting, 1, milliseconds) == 1 ? recv(peer, text, sizeof text - 1, 0) : 0;
    close(peer);
    return size > 0 && strstr(text, SECRET_) != NULL;
}

#endif
