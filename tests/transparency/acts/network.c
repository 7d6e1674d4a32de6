/* Sockets and lookups. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "acts.h"

void sockets(void)
{
    char buffer[64] = "datagram",
         *memory = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sockaddr *bad = (struct sockaddr *)(void *)memory;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, here;
    socklen_t size = sizeof here;
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(bind(server, (struct sockaddr *)&any, sizeof any));
    SHOW(listen(server, 5));
    SHOW(getsockname(server, (struct sockaddr *)&here, &size));
    SHOW(connect(client, bad, sizeof here));
    SHOW(connect(client, NULL, 0));
    SHOW(connect(client, (struct sockaddr *)&here, 3));
    SHOW(connect(client, (struct sockaddr *)&here, 0));
    SHOW(connect(client, (struct sockaddr *)&here, 4096));
    SHOW(connect(client, (struct sockaddr *)&here, (socklen_t)-1));
    SHOW(connect(999, (struct sockaddr *)&here, sizeof here));
    SHOW(connect(0, (struct sockaddr *)&here, sizeof here));
    SHOW(bind(client, bad, sizeof here));
    SHOW(bind(client, (struct sockaddr *)&here, sizeof here));
    SHOW(connect(client, (struct sockaddr *)&here, sizeof here));
    SHOW(connect(client, (struct sockaddr *)&here, sizeof here));
    int accepted = accept(server, NULL, NULL);
    SHOW(send(client, "hello", 5, 0));
    SHOW(recv(accepted, buffer, sizeof buffer, 0));
    SHOW(sendto(client, "hello", 5, 0, (struct sockaddr *)&here, sizeof here));
    SHOW(send(client, memory, 5, 0));
    SHOW(sendto(client, "hello", 5, 0, bad, sizeof here));
    struct iovec vectors[2] = {{buffer, 3}, {buffer + 3, 3}};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
    SHOW(sendmsg(client, &message, 0));
    SHOW(sendmsg(client, NULL, 0));
    SHOW(sendmsg(client, (struct msghdr *)(void *)memory, 0));
    message.msg_iovlen = 100000;
    SHOW(sendmsg(client, &message, 0));
    message.msg_iov = NULL;
    message.msg_iovlen = 1;
    SHOW(sendmsg(client, &message, 0));
    message.msg_iov = vectors;
    message.msg_iovlen = 2;
    message.msg_control = memory;
    message.msg_controllen = 32;
    SHOW(sendmsg(client, &message, 0));
    message.msg_control = NULL;
    message.msg_controllen = 0;
    signal(SIGPIPE, SIG_IGN);
    close(accepted);
    usleep(20000);
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    SHOW(shutdown(client, SHUT_RDWR));
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    close(client);
    close(server);

    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(bind(one, (struct sockaddr *)&any, sizeof any));
    size = sizeof here;
    getsockname(one, (struct sockaddr *)&here, &size);
    SHOW(sendto(two, "12345", 5, 0, (struct sockaddr *)&here, sizeof here));
    SHOW(sendto(two, "12345", 5, 0, NULL, 0));
    SHOW(sendto(two, "12345", 5, 0, (struct sockaddr *)&here, 2));
    SHOW(sendto(two, NULL, 0, 0, (struct sockaddr *)&here, sizeof here));
    struct mmsghdr several[3] = {
        {.msg_hdr =
             {.msg_name = &here, .msg_namelen = sizeof here, .msg_iov = vectors, .msg_iovlen = 2}},
        {.msg_hdr =
             {.msg_name = &here, .msg_namelen = sizeof here, .msg_iov = vectors, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &here, .msg_namelen = 3, .msg_iov = vectors, .msg_iovlen = 1}},
    };
    int sent = sendmmsg(two, several, 3, 0);
    printf("sendmmsg: %d, lengths %u %u\n", sent, several[0].msg_len, several[1].msg_len);
    SHOW(sendmmsg(two, several + 2, 1, 0));
    printf("sendmmsg of none: %d\n", sendmmsg(two, several, 0, 0));
    for (int i = 0; i < 4; i++)
        printf("recv: %zd\n", recv(one, buffer, sizeof buffer, MSG_DONTWAIT));
    SHOW(connect(two, (struct sockaddr *)&here, sizeof here));
    SHOW(send(two, "x", 1, 0));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    SHOW(connect(two, &none, sizeof none));
    SHOW(send(two, "x", 1, 0));
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = here.sin_port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    SHOW(connect(two, (struct sockaddr *)&six, sizeof six));
    close(one);
    close(two);

    int pair[2];
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr passing = {.msg_iov = vectors,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&passing);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int passed = open("/etc/passwd", O_RDONLY);
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    SHOW(sendmsg(pair[0], &passing, 0));
    memset(&control, 0, sizeof control);
    SHOW(recvmsg(pair[1], &passing, 0));
    header = CMSG_FIRSTHDR(&passing);
    int received = -1;
    if (header) memcpy(&received, CMSG_DATA(header), sizeof received);
    SHOW(read(received, buffer, sizeof buffer));
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    snprintf(local.sun_path, sizeof local.sun_path, "%s/socket", folder);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(bind(listener, (struct sockaddr *)&local, sizeof local));
    SHOW(bind(listener, (struct sockaddr *)&local, sizeof local));
    SHOW(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&local, sizeof local));
    SHOW(listen(listener, 1));
    SHOW(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&local, sizeof local));
    unlink(local.sun_path);
    struct sockaddr_un abstract = {.sun_family = AF_UNIX};
    memcpy(abstract.sun_path, "\0function-shield-acts", 21);
    SHOW(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&abstract,
              sizeof(sa_family_t) + 21));
    SHOW(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_UDP));
    SHOW(socket(999, SOCK_STREAM, 0));
    SHOW(socket(AF_INET, 99, 0));
    SHOW(setsockopt(999, SOL_SOCKET, SO_REUSEADDR, "", 1));
    SHOW(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, memory, 4));
}

void names(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    printf("numeric: %d", getaddrinfo("127.0.0.1", "80", &hints, &found));
    printf(" %d %s\n", found->ai_family, found->ai_canonname ? found->ai_canonname : "-");
    freeaddrinfo(found);
    printf("localhost: %d", getaddrinfo("localhost", "http", &hints, &found));
    int count = 0;
    for (struct addrinfo *at = found; at; at = at->ai_next) count++;
    printf(" %d\n", count);
    freeaddrinfo(found);
    printf("nothing: %d\n", getaddrinfo(NULL, NULL, &hints, &found));
    printf("passive: %d\n", getaddrinfo(NULL, "80", &hints, &found));
    freeaddrinfo(found);
    hints.ai_flags = AI_NUMERICHOST;
    printf("not numeric: %d\n", getaddrinfo("localhost", "80", &hints, &found));
    hints.ai_flags = 0x40000000;
    printf("bad flags: %d\n", getaddrinfo("localhost", "80", &hints, &found));
    hints.ai_flags = 0;
    hints.ai_family = 999;
    printf("bad family: %d\n", getaddrinfo("localhost", "80", &hints, &found));
    hints.ai_family = 0;
    printf("bad service: %d\n", getaddrinfo("localhost", "no-such-service", &hints, &found));
    hints.ai_flags = AI_CANONNAME;
    printf("canonical: %d", getaddrinfo("localhost", NULL, &hints, &found));
    printf(" %s\n", found->ai_canonname);
    freeaddrinfo(found);
    struct hostent *host = gethostbyname("127.0.0.1");
    printf("gethostbyname: %s\n", host ? host->h_name : hstrerror(h_errno));
    host = gethostbyname("localhost");
    printf("gethostbyname: %s\n", host ? host->h_name : hstrerror(h_errno));
    host = gethostbyname2("::1", AF_INET6);
    printf("gethostbyname2: %d\n", host ? host->h_length : -h_errno);
    struct in_addr address = {htonl(INADDR_LOOPBACK)};
    host = gethostbyaddr(&address, sizeof address, AF_INET);
    printf("gethostbyaddr: %s\n", host ? host->h_name : hstrerror(h_errno));
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = address};
    char name[NI_MAXHOST], service[NI_MAXSERV];
    printf("getnameinfo: %d %s",
           getnameinfo((struct sockaddr *)&in, sizeof in, name, sizeof name, service,
                       sizeof service, 0),
           "");
    printf("%s %s\n", name, service);
    printf("getnameinfo: %d\n",
           getnameinfo((struct sockaddr *)&in, 3, name, sizeof name, NULL, 0, 0));
    printf("getnameinfo: %d\n",
           getnameinfo((struct sockaddr *)&in, sizeof in, name, 3, NULL, 0, NI_NUMERICHOST));
}
