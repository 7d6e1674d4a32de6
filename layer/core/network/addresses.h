/* Socket addresses and the spellings of numeric hosts: read, normalised, written as text. Pure
 * functions. */
#ifndef FS_ADDRESSES_H
#define FS_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_MAX   46 /* INET6_ADDRSTRLEN */
#define ADDRESS_OBJECT_MAX 264 /* a host, brackets, a colon, a port, NUL */
#define ADDRESS_SIZE_MAX   128 /* sizeof(struct sockaddr_storage): the kernel takes no more */

enum address_kind {
    ADDRESS_IP, /* `ip`, `version` and `port` are set */
    ADDRESS_UNIX, /* `path` is the socket's file, "" for an abstract or unnamed one */
    ADDRESS_NONE, /* AF_UNSPEC, or too short for a family: names no destination */
    ADDRESS_NETLINK, /* the kernel itself */
    ADDRESS_SHORT, /* shorter than its family needs: the kernel refuses it */
    ADDRESS_FOREIGN /* a family that is refused */
};

struct address {
    enum address_kind kind;
    int family; /* as in the bytes */
    uint8_t ip[16]; /* IPv4 in the first 4 bytes, the rest 0 */
    uint8_t version; /* 4 or 6 */
    uint16_t port; /* host byte order */
    char path[110];
};

/* Reads the `size` bytes of a struct sockaddr. `sending`: for sendto and its like, where Linux
 * takes AF_UNSPEC for AF_INET (udp_sendmsg in net/ipv4/udp.c). IPv4-mapped addresses become IPv4,
 * the unspecified ones loopback: Linux dials it. */
void address_read(const void *bytes, size_t size, bool sending, struct address *address);

/* Folds ::ffff:a.b.c.d to IPv4, 0.0.0.0 to 127.0.0.1, :: to ::1. Returns the version. */
uint8_t address_normalise(uint8_t ip[16], uint8_t version);

/* 127.0.0.1 or ::1, normalised. */
bool address_is_localhost(const uint8_t ip[16], uint8_t version);
/* 127.0.0.0/8 or ::1, normalised. */
bool address_is_loopback(const uint8_t ip[16], uint8_t version);
/* A normalised address that no name should lead to: link-local, EC2's metadata, groups, broadcast.
 * Not special are the link-local ranges that VPC Lattice gives to names: 169.254.171.0/24 and
 * fd00:ec2:80::/64. */
bool address_is_special(const uint8_t ip[16], uint8_t version);
bool address_equal(const uint8_t a[16], uint8_t a_version, const uint8_t b[16], uint8_t b_version);

/* Writes at most ADDRESS_TEXT_MAX bytes, NUL included. */
void address_text(const uint8_t ip[16], uint8_t version, char *text);

/* What an event and a note call a destination: "HOST:PORT", "[IPV6]:PORT". `object` has
 * ADDRESS_OBJECT_MAX bytes. */
void address_object(const char *host, uint16_t port, char *object);

/* Returns true if getaddrinfo reads `host` as a number and makes no query: inet_aton's forms
 * (127.1, 0x7f.1, 2130706433) and IPv6, with or without a scope. The address is normalised. */
bool address_parse(const char *host, uint8_t ip[16], uint8_t *version);
/* The same for gethostbyname, which accepts decimal and octal IPv4 only, and no scope. */
bool address_parse_plain(const char *host, uint8_t ip[16], uint8_t *version);

#endif
