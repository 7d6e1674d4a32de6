/* What the doors of look-ups share. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns.h"
#include "policy.h"

/* A name that somebody looks up. */
struct lookup {
    char asked[DNS_NAME_MAX + 3]; /* our copy of the caller's spelling, which is what is asked */
    char name[DNS_NAME_MAX + 1];  /* normalised, "" where it is no name */
    uint16_t port;
    bool announced;               /* reported and let through: the connection that follows is the same act */
    struct fs_verdict verdict;
};

/* Copies, judges and reports. True where it must fail. */
bool names_refuses(struct lookup *lookup, const char *name, uint16_t port, const void *caller);
/* The same for a whole query packet. */
bool names_refuses_packet(const unsigned char *packet, int size, unsigned char *copy, const void *caller);

#endif
