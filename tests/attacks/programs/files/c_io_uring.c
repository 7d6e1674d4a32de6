// class: files
// rule: guard_integrity read_write_tmp native_code
// success: a C program makes io_uring open and read a file in /tmp
// proof: read
// needs: io_uring x86_64
#include "attack.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

int main(void)
{
    struct io_uring_params p = {0};
    int ring = (int)syscall(__NR_io_uring_setup, 4, &p);
    if (ring < 0) return stopped("io_uring_setup");
    size_t size = p.sq_off.array + p.sq_entries * 4;
    size_t other = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    if (other > size) size = other;
    char *q = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *sqe = mmap(NULL, p.sq_entries * sizeof *sqe, PROT_READ | PROT_WRITE,
                                    MAP_SHARED, ring, IORING_OFF_SQES);
    if (q == MAP_FAILED || sqe == MAP_FAILED) return stopped("mmap");
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = IORING_OP_OPENAT;
    sqe->fd = AT_FDCWD;
    sqe->addr = (uintptr_t)FILE_;
    *(unsigned *)(q + p.sq_off.array) = 0;
    __atomic_store_n((unsigned *)(q + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
        return stopped("io_uring_enter");
    struct io_uring_cqe *cqe = (struct io_uring_cqe *)(q + p.cq_off.cqes);
    if (cqe->res < 0) {
        errno = -cqe->res;
        return stopped("openat in the ring");
    }
    return got_from(cqe->res);
}
