# class: only_for
# rule: read_write_tmp
# success: an SQLite statement, which makes no audit event, makes a file that the allowed package
#   tried to open just before
# proof: new
# needs: packages
# policy: only_for_tmp.yaml
# when: import
# says: "asker": "unknown"
import sqlite3

import stripe
from attack import NEW, prepare

connection = sqlite3.connect(":memory:")


def attach():
    connection.execute("ATTACH ? AS other", (NEW,))


@prepare
def hook():
    stripe.kept = NEW
    stripe.hooks.append(attach)
