/* Requests to the kernel in which an interpreter hands on an address: of ioctl, fcntl, getsockopt
 * and setsockopt. */
#ifndef FS_REQUESTS_H
#define FS_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

enum request_kind {
    REQUEST_INT, /* the argument is a number, or is not looked at */
    REQUEST_STRUCT, /* leads to a structure without addresses */
    REQUEST_OTHER /* not in requests.table: may have an address in it */
};
enum request_kind requests_ioctl(unsigned long request);
enum request_kind requests_fcntl(int command);

#define REQUEST_WORDS 64
/* "ioctl 0x8912": how events name a request. */
const char *requests_name(char words[REQUEST_WORDS], const char *call, unsigned request);

/* For the interpreter ring: this thread's next ioctl was judged. */
void requests_judged(unsigned long request);
/* True where the caller hands on what a program without native code wrote, and the policy refuses
 * that: errno is EACCES. */
bool requests_option_refused(const char *verb, int level, int name, const void *caller);
/* The code at `caller` is the interpreter's, or its module's `module`: what it passes on, Python
 * code chose. */
bool requests_from_python(const char *module, const void *caller);

#endif
