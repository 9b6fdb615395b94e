"""What the tests of deploy/ share."""

import subprocess
from pathlib import Path

REPO = Path(__file__).parents[2]
RELEASE = REPO / "build" / "release"


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)


def fault_of(*command, **options):
    """What `tidemark check` has against a file; "" if nothing. A good one it prints, before it looks for servers, which takes long."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        if process.stdout.readline().startswith("group: "):
            return ""
        return process.communicate(timeout=60)[1] or "nothing was printed"
    finally:
        process.kill()
        process.communicate()


class Root:
    """A clean Debian 12 in a folder, as tests/fresh makes it; commands run in it by chroot."""

    PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def __init__(self, folder):
        self.folder = Path(folder)

    def run(self, command, check=True):
        """A shell command inside; the finished process with its texts."""
        done = subprocess.run(
            ["chroot", self.folder, "/usr/bin/env", "-i", "HOME=/root", f"PATH={self.PATH}", "LANG=C.UTF-8",
             "DEBIAN_FRONTEND=noninteractive", "sh", "-c", command], capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def has(self, path):
        return (self.folder / path.lstrip("/")).exists()
