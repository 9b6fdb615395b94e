"""Fixtures of the tests of deploy/."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest

from roots import RELEASE, REPO, Root, run


@pytest.fixture(scope="module")
def clean_root():
    with tempfile.TemporaryDirectory(prefix="tidemark-root.", ignore_cleanup_errors=True) as folder:
        made = subprocess.run([REPO / "tests" / "fresh", "root", folder], capture_output=True, text=True)
        if made.returncode == 77:
            pytest.skip("a clean Debian root needs root rights, for chroot")
        assert made.returncode == 0, made.stderr
        yield Root(folder)


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package, made of the release build."""
    folder = tmp_path_factory.mktemp("package")
    built = run("cmake", "--build", RELEASE, "--target", "tidemark", "tidemark_man")
    assert built.returncode == 0, built.stdout
    made = run("cpack", "--config", RELEASE / "CPackConfig.cmake", "-B", folder)
    assert made.returncode == 0, made.stdout + made.stderr
    [file] = folder.glob("*.deb")
    return file
