"""Sets the checkout up: a virtual environment with exactly what a lock file names, and this project in it.

Used by scripts/run and scripts/test. Needs nothing but Python 3.11; when the lock has not changed it does nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def prepare(lock_name: str) -> None:
    """Makes .venv hold what locks/<lock_name>.txt names."""
    lock = ROOT / "locks" / f"{lock_name}.txt"
    digest = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    marker = VENV / f"prepared-{lock_name}"
    if marker.exists() and marker.read_text() == digest:
        return
    if sys.version_info < (3, 11):
        sys.exit("slipvault needs Python 3.11 or newer.")
    if not PYTHON.exists():
        print("slipvault: making the virtual environment", flush=True)
        make_environment()
    print("slipvault: installing the packages that the lock names; the first time this takes a minute", flush=True)
    pip("install", "--require-hashes", "-r", str(lock))
    pip("install", "--require-hashes", "-r", str(ROOT / "locks" / "build.txt"))
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    marker.write_text(digest)


def make_environment() -> None:
    """A virtual environment with pip, also where Debian keeps ensurepip in another package."""
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install(["python3-venv"])
        subprocess.run(command, check=True)
    else:
        sys.exit("Python's venv module is incomplete here. As root: apt-get install python3-venv")


def apt_install(packages: list[str]) -> None:
    """Installs Debian packages; only for root."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def pip(*arguments: str) -> None:
    """Runs the environment's pip."""
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *arguments]
    if subprocess.run(command).returncode:
        sys.exit("The packages could not be installed; what pip says stands above.")
