/* Options of sockets. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>

/* The option sends a packet by way of an address that no door judged. */
bool options_route(int level, int name);

#endif
