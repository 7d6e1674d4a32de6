// class: network
// rule: outbound_connectivity
// policy: lookups.yaml
// success: a process that is no thread, but shares memory and fds, writes a question to libc's
//   socket while the only thread looks up an allowed name
// proof: query
// needs: resolver
// quiet: no process but the one that looks up has an fd for what libc opens
// unreported: what is written is reported only where it is seen to be a question
// timeout: 40
#include "lookups.h"

int main(void) { return write_to_lookups(SIGCHLD); }
