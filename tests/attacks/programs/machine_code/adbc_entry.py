# class: machine_code
# rule: native_code
# needs: module:adbc_driver_manager
# success: ADBC's driver manager calls a function of libc that is no driver's entry
# proof: word
import os

import adbc_driver_manager
from attack import attempt


@attempt
def call():
    os.umask(0)
    try:
        adbc_driver_manager.AdbcDatabase(driver="libc.so.6", entrypoint="umask")
    except adbc_driver_manager.Error:
        pass
    return os.umask(0o22) != 0
