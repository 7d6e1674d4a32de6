/* Looks a name up by getaddrinfo_a, with another search list: `background NAME DOMAIN`. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    setenv("LOCALDOMAIN", argv[2], 1);
    setenv("RES_OPTIONS", "ndots:9", 1);
    struct gaicb request = {.ar_name = argv[1], .ar_service = "443"}, *list[] = {&request};
    int error = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    puts(gai_strerror(error != 0 ? error : gai_error(&request)));
    return 0;
}
