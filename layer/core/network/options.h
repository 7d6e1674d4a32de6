/* Options of sockets. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stddef.h>

/* The way by which a control message sends its packet, if that is not the one of the address that
 * was judged: a source route, or a device, by which 127.0.0.1 leaves the machine. NULL if none. */
const char *options_message_way(int level, int type, const char *data, size_t size);

#endif
