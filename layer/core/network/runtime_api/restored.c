/* After a snapshot was restored. See restored.h. */
#include "network/runtime_api/restored.h"

#include <stdatomic.h>

#include "events/events.h"
#include "events/announce.h"
#include "events/sink.h"
#include "files/files.h"
#include "guard/guard.h"
#include "network/first_bytes/pending.h"
#include "network/names/learnt.h"
#include "network/names/resolvers.h"

static _Atomic uint64_t connection;
static atomic_bool asked;

void restored_watches(int fd) { atomic_store(&connection, pending_cookie(fd)); }

void restored_requested(void)
{
    events_invocation_ends(); /* other processes would write the same */
    atomic_store(&asked, true);
}

bool restored_awaits(int fd)
{
    return UNLIKELY(atomic_load(&asked)) && pending_cookie(fd) == atomic_load(&connection);
}

void restored_answered(void)
{
    if (!atomic_exchange(&asked, false)) return;
    learnt_forget();
    resolvers_renew();
    files_start();
    sink_open(guard.event_fd);
    files_watch_events();
    announce_restored();
}
