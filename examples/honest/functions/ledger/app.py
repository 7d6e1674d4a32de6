"""Balances the entries of a month in a database under /tmp."""

import sqlite3

from tagwright import tag


def handler(event, context):
    database = sqlite3.connect(f"/tmp/ledger-{event['month']}.db")
    database.execute("pragma journal_mode=wal")
    with database:
        database.execute("drop table if exists entry")
        database.execute("create table entry (account text, amount integer)")
        database.executemany("insert into entry values (?, ?)", event["entries"])
    rows = database.execute(
        "select account, sum(amount) from entry group by account order by account"
    ).fetchall()
    database.close()
    return {"balances": dict(rows), "tag": tag(event["month"])}
