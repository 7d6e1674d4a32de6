# class: only_for
# rule: read_write_tmp
# success: os.mkfifo, which makes no audit event, makes what the allowed package tried to open just
#   before
# proof: new
# needs: packages
# policy: only_for_tmp.yaml
# when: import
# says: "asker": "tintbox"
import os

import stripe
from attack import NEW, prepare


@prepare
def hook():
    stripe.kept = NEW
    stripe.hooks.append(lambda: os.mkfifo(NEW))
