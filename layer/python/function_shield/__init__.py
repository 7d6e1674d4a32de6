"""FunctionShield inside the function's process: what a function can ask of the guard it runs under.

A function needs none of this: it is guarded without knowing. Programs written for PureSec's
FunctionShield call
`configure`, and programs that want to tell a refusal from other errors catch `PolicyViolation`::

    import function_shield

    cookie = function_shield.configure({"policy": {"read_write_tmp": "block"}})

Everything here is a message to the core by `sys.audit`; nothing in this package guards anything,
and replacing its functions changes nothing but what the replacer sees.
"""

from function_shield._configure import configure
from function_shield._core import armed
from function_shield._version import __version__
from function_shield._violation import PolicyViolation

__all__ = ["PolicyViolation", "__version__", "armed", "configure"]
