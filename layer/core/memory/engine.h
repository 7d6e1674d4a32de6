/* V8's flags, where the program is a Node. */
#ifndef FS_ENGINE_H
#define FS_ENGINE_H

/* Before the program's first line. */
void engine_start(void);

#endif
