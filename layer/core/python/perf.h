/* CPython's support for Linux perf (3.12): code that it writes for each function, and a file of
 * names under /tmp. */
#ifndef FS_PERF_H
#define FS_PERF_H

/* Switches it off where a rule blocks what it does, since the interpreter does not start where it
 * fails: in the arguments and in the environment, before the interpreter reads either. One event
 * says so. */
void perf_start(int argc, char **argv);

#endif
