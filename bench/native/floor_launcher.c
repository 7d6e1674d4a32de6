/* The floor of an exec wrapper: sets one variable and becomes its argument. The build defines
 * FLOOR_PRELOAD. */
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **arguments)
{
    if (count < 2 || setenv("LD_PRELOAD", FLOOR_PRELOAD, 1) != 0) return 78;
    execve(arguments[1], arguments + 1, environ);
    return 78;
}
