"""A stand-in for Lambda's sandbox, and tests in it.

``image`` makes the container's image, ``fshield.local.sandbox`` has the restrictions,
``fshield.local.container`` runs functions in both, ``attacks`` runs the attack corpus there. The
stand-in differs from Lambda: the kernel is this machine's and newer than Lambda's 5.10, ``/tmp`` is
a tmpfs and not ext4, the libc is Debian's, and ``/proc`` shows the emulator as a process of the
same user. How Lambda answers ``process_vm_*``, ``memfd_create`` and ``pidfd_getfd`` is unknown;
here they are let through.
"""
