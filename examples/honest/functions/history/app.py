"""Keeps texts in a git repository, and says what changed."""

import shutil
import tempfile
from pathlib import Path

import git
from tagwright import tag

AUTHOR = git.Actor("shop", "shop@example.org")
DATE = "2026-11-28T09:00:00"


def handler(event, context):
    folder = Path(tempfile.mkdtemp(prefix="history-"))
    with git.Repo.init(folder) as repository:
        for name, text in event["texts"].items():
            (folder / name).write_text(text)
            repository.index.add([name])
            repository.index.commit(
                f"Add {name}", author=AUTHOR, committer=AUTHOR, author_date=DATE, commit_date=DATE
            )
        log = repository.git.log("--format=%H %s")
        changed = repository.git.diff("--stat", "HEAD~1") if len(event["texts"]) > 1 else ""
    shutil.rmtree(folder)
    return {"log": log.splitlines(), "changed": changed, "tag": tag(log)}
