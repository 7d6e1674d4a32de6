"""Accepts a file from a form, and describes it."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from fastapi import FastAPI, HTTPException, UploadFile
from mangum import Mangum
from tagwright import tag

app = FastAPI()


@app.post("/files")
def upload(file: UploadFile):
    folder = Path(tempfile.mkdtemp(prefix="upload-"))
    target = folder / Path(file.filename).name
    with target.open("wb") as kept:
        shutil.copyfileobj(file.file, kept)
    content = target.read_bytes()
    shutil.rmtree(folder)
    digest = hashlib.sha256(content).hexdigest()
    return {"name": target.name, "size": len(content), "sha256": digest, "tag": tag(target.name)}


@app.get("/files/{name}")
async def look_up(name: str):
    raise HTTPException(404, f"no {name} here")


handler = Mangum(app, lifespan="off")
