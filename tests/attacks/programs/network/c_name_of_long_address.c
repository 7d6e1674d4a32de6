// class: network
// rule: outbound_connectivity
// success: an address that carries data is turned into a name by functions that read no more of it
//   than they need, whatever size they are given
// proof: any_query
// needs: resolver
#include "attack.h"
#include <netdb.h>

int main(void)
{
    static char bytes[256] = {(char)203, 0, 113, 77}, name[256], room[4096];
    struct sockaddr_in place = {.sin_family = AF_INET};
    struct hostent host, *found = NULL;
    int error, done = gethostbyaddr(bytes, 20, AF_INET) != NULL;
    done |= !gethostbyaddr_r(bytes, 20, AF_INET, &host, room, sizeof room, &found, &error) && found;
    memcpy(&place.sin_addr, bytes, 4);
    memcpy(bytes, &place, sizeof place);
    done |= !getnameinfo((struct sockaddr *)bytes, sizeof bytes, name, sizeof name, NULL, 0,
                         NI_NAMEREQD);
    return done ? reached() : stopped("no name was found");
}
