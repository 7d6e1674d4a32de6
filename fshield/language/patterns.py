"""Path patterns as policies write them. The engine compares them with resolved paths."""

from __future__ import annotations

import posixpath
import re

from fshield.errors import shown
from fshield.language.wrong import wrong

MAX_PATH = 4095
_FORM = "an absolute path; `*` and `?` stand for what is inside one name, `**` for anything"
#: An entry of read_write_tmp that stands for names of Python's tempfile: files and folders with the
#: default prefix and no suffix, the contents of the folders, and the files with which it tests
#: whether /tmp is writable.
TEMPFILE = "tempfile"
TEMPFILE_PATTERNS = ("/tmp/tmp????????", "/tmp/tmp????????/**", "/tmp/????????")
#: An entry of create_child_process that stands for a fork, whose child executes nothing. The engine
#: has this word where a program has its resolved path: FS_FORK of policy.h.
FORK = "fork"
# On Amazon Linux 2 and 2023, as on every distribution with a merged /usr, these are links into
# /usr.
LINKED_FOLDERS = ("/bin/", "/sbin/", "/lib/", "/lib64/")


def tmp_pattern(text: str) -> str:
    """A pattern of objects under ``/tmp``, or `TEMPFILE`. Raises PydanticCustomError."""
    if text == TEMPFILE:
        return text
    pattern = absolute_pattern(text)
    if pattern != "/tmp" and not pattern.startswith("/tmp/"):
        raise wrong(
            f"{shown(text)} can never match: read_write_tmp judges nothing outside /tmp",
            "a path under /tmp: /tmp/cache/**",
            f"/tmp{pattern}" if not pattern.startswith(("/tmp", "/*")) else "",
        )
    return pattern


def program_pattern(text: str) -> str:
    """A pattern of executables by resolved path, or `FORK`. Raises PydanticCustomError."""
    if text == FORK:
        return text
    if text.strip() and "/" not in text:
        raise wrong(
            f"{shown(text)} can never match: programs are named by their resolved path",
            _FORM,
            f"/usr/bin/{text.split(maxsplit=1)[0]}",
        )
    return absolute_pattern(text)


def library_pattern(text: str) -> str:
    """A module's name, or a pattern of library paths. Raises PydanticCustomError."""
    if "/" in text:
        return absolute_pattern(text)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", text):
        raise wrong(
            f"{shown(text)} is neither a module's name nor a path",
            "a module's name (numpy) or an absolute path to a library",
        )
    return text


def absolute_pattern(text: str) -> str:
    """`text`, if it can match a resolved path. Raises PydanticCustomError."""
    if not text.strip():
        raise wrong("the path is empty", _FORM)
    if not text.startswith("/"):
        raise wrong(
            f"{shown(text)} can never match: it is not absolute",
            _FORM,
            f"/{text.removeprefix('./')}",
        )
    if not text.isprintable():
        raise wrong(f"{shown(text)} has control characters in it", _FORM)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_PATH:
        raise wrong(f"the path is longer than {MAX_PATH} bytes", _FORM)
    if text != "/" and text.endswith("/"):
        raise wrong(
            f"{shown(text)} can never match: resolved paths do not end in a slash",
            _FORM,
            f"{text}** for all that is in it",
        )
    clean = "/" + posixpath.normpath(text).lstrip("/")
    if clean != text:
        raise wrong(
            f"{shown(text)} can never match: resolved paths have no `.`, `..` or `//`", _FORM, clean
        )
    return text


def coverers(pattern: str) -> list[str]:
    """The patterns that match whatever `pattern` matches: itself, and ``DIR/**`` for each folder
    above it.

    Not all such patterns, but those that people write.
    """
    found = [pattern]
    if not pattern.startswith("/"):
        return found  # a word that stands for something else than a path
    folder = pattern.removesuffix("/**")
    while True:
        found.append(folder + "/**")
        if not folder:
            return found
        folder = folder.rpartition("/")[0]
