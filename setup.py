"""What pyproject.toml cannot say: the project's links, from one variable in fshield/version.py."""

import runpy
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
URL = runpy.run_path(str(ROOT / "fshield" / "version.py"))["PROJECT_URL"]
LINKS = {
    "Homepage": URL,
    "Documentation": f"{URL}/tree/main/docs",
    "Changelog": f"{URL}/blob/main/CHANGELOG.md",
    "Security": f"{URL}/blob/main/SECURITY.md",
}

setup(project_urls=LINKS if URL else {})
