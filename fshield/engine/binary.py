"""The compiled policy's format: layer/core/policy/policy.h in Python's ``struct``.

Little-endian throughout. Every structure's size is checked against the
header's static assertions by a test that compiles them.
"""

from __future__ import annotations

import struct

MAGIC = b"FSPOLICY"
MAJOR = 1
# of files that use what a later minor version added; 0 in all others. Features and flags say what
# an engine must know
MINOR = 1
MAX_SIZE = 16 << 20
CHECKSUM_OFFSET = 16
NO_RULE = 0xFFFFFFFF

# struct fs_policy: magic, major, minor, size, checksum, flags, name, modes[8], sources[8],
# emf_namespace, reserved, features, endpoints, then (offset, count) of variables, templates and
# sections[8]
HEADER = struct.Struct("<8sHHIQII8B8II4xII4I16I")
RULE = struct.Struct("<IIIHBBB3sI")
PORT_RANGE = struct.Struct("<HH")
VARIABLE = struct.Struct("<IB3x")
TEMPLATE = struct.Struct("<III")
HOST_SLOT = struct.Struct("<IIII")
CIDR_SLOT = struct.Struct("<IIBBBx16sI")
LENGTH = struct.Struct("<BB2x")
PATH = struct.Struct("<IIB7x")

# enum fs_flag
FLAG_ALLOW_RECONFIGURE = 1 << 0
FLAG_MODE_ALERT = 1 << 1
FLAG_MODE_OFF = 1 << 2
FLAG_EVENTS_ALLOWED_FIRST = 1 << 3
FLAG_EVENTS_OCSF = 1 << 4
FLAG_KERNEL_FILE_SIZE = 1 << 5
FLAG_LOOPBACK_LISTED = 1 << 6
FLAG_TMP_EPHEMERAL = 1 << 7
FLAG_HANDLER_ALSO = 1 << 8
FLAGS = (1 << 9) - 1
FLAGS_IGNORABLE = 0xFFFF0000  # an engine that does not know these ignores them

# enum fs_feature
FEATURE_REGION = 1 << 0
FEATURE_ACCOUNT = 1 << 1
FEATURE_VPC_ENDPOINT = 1 << 2
FEATURE_VARIABLES = 1 << 3
FEATURE_CONDITIONS = 1 << 4
FEATURE_ONLY_FOR = 1 << 5
FEATURE_FORK = 1 << 6
GATE = 0xFF

# Flags that engines of format 1.0 do not know. Such an engine must not ignore them: it would
# enforce or allow something else.
NARROWING_FLAGS = FLAG_LOOPBACK_LISTED | FLAG_TMP_EPHEMERAL | FLAG_HANDLER_ALSO

# enum fs_list: what stands in a path's field `family`, where it is no exception of a rule
LIST_CODE = 8
LIST_FILES = 9
LIST_QUIET = 10

# enum fs_variable_kind
VARIABLE_HOST = 0
VARIABLE_BUCKET = 1
VARIABLE_LABEL = 2
VARIABLES_MAX = 32
TEMPLATES_MAX = 1024

# enum fs_section_kind
SECTION_RULES = 1
SECTION_PORTS = 2
SECTION_HOSTS = 3
SECTION_CIDRS = 4
SECTION_LENGTHS = 5
SECTION_PATHS = 6
SECTION_STRINGS = 7
SECTIONS = 8
SECTION_VARIABLES = 8
SECTION_TEMPLATES = 9

TLS = {None: 0, "required": 1, "starttls": 2, "none": 3}

_MASK = (1 << 64) - 1


def fnv1a(key: bytes) -> int:
    """``fs_hash``: FNV-1a, 32 bits."""
    value = 2166136261
    for byte in key:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def checksum(content: bytes) -> int:
    """``fs_checksum`` of a compiled policy, whose size is a multiple of 8; its checksum field
    counts as 0."""
    value = 0xCBF29CE484222325
    for index, (word,) in enumerate(struct.iter_unpack("<Q", content)):
        value ^= 0 if index * 8 == CHECKSUM_OFFSET else word
        value = ((value << 29 | value >> 35) * 0x9E3779B97F4A7C15) & _MASK
    return value
