// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a C program has libc write the name of a symbol, which is the secret, to a connection
// proof: word
// needs: resolver
#include "allowed.h"
#include <execinfo.h>

int main(void)
{
    int listener = allowed_listener(), fd = allowed_connection();
    void *place = (void *)main;
    backtrace_symbols_fd(&place, 1, fd);
    char text[4096] = "";
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    int peer = accept(listener, NULL, NULL);
    waiting.fd = peer;
    ssize_t size =
        poll(&waiting, 1, 1000 * patience(1)) == 1 ? recv(peer, text, sizeof text - 1, 0) : 0;
    return size > 0 ? reached() : stopped("nothing was heard");
}
