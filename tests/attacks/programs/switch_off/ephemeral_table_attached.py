# class: switch_off
# rule: guard_integrity
# success: the table of what the function made is attached again, to write to
# proof: word
# policy: ephemeral.yaml
import ctypes

from attack import attempt, libc


@attempt
def attach():
    with open("/proc/sysvipc/shm") as table:
        ids = [line.split()[1] for line in list(table)[1:]]
    if not ids:
        # Bare there is no table: one of the program's own stands for it.
        ids = [libc().shmget(0, 4096, 0o1600)]
    call = libc().shmat
    call.restype = ctypes.c_ssize_t
    done = all(call(int(one), None, 0) != -1 for one in ids)
    if isinstance(ids[0], int):
        libc().shmctl(ids[0], 0, None)  # IPC_RMID
    return done
