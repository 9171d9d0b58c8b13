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
NEEDED = (3, 11)
EXIT_CONFIGURATION, EXIT_UNAVAILABLE = 78, 69


def say(chinese: str, english: str) -> None:
    """A line for whoever waits: which language they read is not known before the packages are there."""
    print(f"slipvault: {chinese} / {english}", flush=True)


def give_up(code: int, chinese: str, english: str) -> None:
    """Says what is missing and what to do, and ends."""
    print(f"slipvault: {chinese}\nslipvault: {english}", file=sys.stderr, flush=True)
    sys.exit(code)


if sys.version_info < NEEDED:
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
    found, other = f"{sys.version_info[0]}.{sys.version_info[1]}", (newer or ["python3.11"])[0]
    give_up(
        EXIT_CONFIGURATION,
        f"需要 Python 3.11 或更新版本，当前 python3 是 {found}。请（安装后）运行：{other} {sys.argv[0]}",
        f"Python 3.11 or newer is needed, this one is {found}. Install it if need be, then: {other} {sys.argv[0]}",
    )


def prepare(lock_name: str) -> None:
    """Makes .venv hold what locks/<lock_name>.txt names; what the tests need holds all that a run needs."""
    if PYTHON.exists() and (is_prepared(lock_name) or is_prepared("test")):
        return
    if not os.access(VENV if VENV.exists() else ROOT, os.W_OK):
        give_up(
            EXIT_CONFIGURATION,
            f"无法在 {VENV} 安装软件包：当前用户没有写权限。请用拥有此目录的用户运行一次，或复制到自己的目录。",
            f"The packages cannot be installed in {VENV}: this user may not write there. Run it once as the owner of the "
            "checkout, or use a copy of your own.",
        )
    if not PYTHON.exists():
        say("正在创建虚拟环境", "making the virtual environment")
        make_environment()
    say(
        "正在安装锁定的软件包，首次约需一分钟",
        "installing the packages that the lock names; the first time this takes a minute",
    )
    pip("install", "--require-hashes", "-r", str(ROOT / "locks" / f"{lock_name}.txt"))
    pip("install", "--require-hashes", "-r", str(ROOT / "locks" / "build.txt"))
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    (VENV / f"prepared-{lock_name}").write_text(digest_of(lock_name))


def is_prepared(lock_name: str) -> bool:
    """Whether the environment was made from this lock as it is now."""
    marker = VENV / f"prepared-{lock_name}"
    return marker.exists() and marker.read_text() == digest_of(lock_name)


def digest_of(lock_name: str) -> str:
    """What the environment depends on."""
    lock = ROOT / "locks" / f"{lock_name}.txt"
    return hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def make_environment() -> None:
    """A virtual environment with pip, also where Debian keeps ensurepip in another package."""
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install(["python3-venv"])
        if subprocess.run(command).returncode == 0:
            return
    give_up(
        EXIT_CONFIGURATION,
        "无法创建虚拟环境：Python 的 venv 模块不完整或磁盘已满。以 root 运行：apt-get install python3-venv",
        "The virtual environment cannot be made: Python's venv module is incomplete, or the disk is full. As root: "
        "apt-get install python3-venv",
    )


def apt_install(packages: "list[str]") -> None:
    """Installs Debian packages; only for root."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment)  # what is known already may be enough
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
        names = " ".join(packages)
        give_up(
            EXIT_UNAVAILABLE,
            f"无法安装 Debian 软件包 {names}；apt-get 的说明见上。请检查网络和软件源。",
            f"The Debian packages {names} could not be installed; what apt-get says stands above. Check network and mirror.",
        )


def pip(*arguments: str) -> None:
    """Runs the environment's pip."""
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *arguments]
    if subprocess.run(command).returncode:
        give_up(
            EXIT_UNAVAILABLE,
            "软件包安装失败；pip 的说明见上。请检查网络、软件源（PIP_INDEX_URL）和磁盘空间，然后重试。",
            "The packages could not be installed; what pip says stands above. Check the network, the index (PIP_INDEX_URL) "
            "and free space, then try again.",
        )
