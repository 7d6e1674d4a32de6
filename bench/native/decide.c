/* Times the engine's decision: decide POLICY NAME PORT COUNT. Prints nanoseconds a decision, the
 * median of rounds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/expansion.h"

enum { ROUNDS = 9 };

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "decide: %s\n", what);
    exit(1);
}

static const char *value_of(void *context, const char *name)
{
    (void)context, (void)name;
    return "my-bucket";
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

int main(int argc, char **argv)
{
    struct stat status;
    int fd = argc == 5 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &status) != 0) fail("POLICY NAME PORT COUNT");
    const struct fs_policy *policy =
        mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (policy == MAP_FAILED || fs_policy_check(policy, (size_t)status.st_size) != NULL)
        fail("no policy");
    struct fs_facts facts = {
        .region = "eu-central-1", .account = "123456789012", .partition = FS_AWS};
    struct fs_expansion expansion;
    void *memory = calloc(1, fs_expansion_size(policy) + 1);
    if (memory && fs_expand(policy, value_of, NULL, memory, &expansion)) {
        facts.expansions = &expansion;
        facts.expansion_count = 1;
    }
    const char *names[] = {argv[2]};
    struct fs_request request = {.family = FS_OUTBOUND,
                                 .names = names,
                                 .name_count = 1,
                                 .ip_version = 4,
                                 .ip = {192, 0, 2, 7},
                                 .port = (uint16_t)atoi(argv[3]),
                                 .facts = &facts};
    long count = atol(argv[4]);
    double rounds[ROUNDS];
    unsigned long sum = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t begin = now();
        for (long i = 0; i < count; i++) sum += fs_policy_decide(policy, &request).mode;
        rounds[round] = (double)(now() - begin) / (double)count;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    fprintf(stderr, "%lu\n", sum / ROUNDS / (unsigned long)count);
    printf("%f\n", rounds[ROUNDS / 2]);
    return 0;
}
