"""The image: what is in it, that it runs as nobody and without a shell, and, with --full, that buildah can build it from the
Dockerfile on a clean Debian 12."""

import os
import shutil
import subprocess

import pytest

from roots import REPO, Root, fault_of

PROGRAM = REPO / "build" / "release" / "tidemark"
USER = "65532"
UNREACHABLE, BAD_CONFIG = 69, 78
CONFIG = """
include: [/usr/share/tidemark/config/value.yaml, /usr/share/tidemark/config/churn.yaml]
kafka: {bootstrap.servers: "127.0.0.1:1"}
redis: {url: "redis://127.0.0.1:1/0"}
state: {time_zone: ZONE}
"""


class Image:
    """The root of an image; its program is started as the image's user would start it."""

    def __init__(self, folder):
        self.folder = folder

    def command(self, *words):
        return ["/usr/sbin/chroot", f"--userspec={USER}:{USER}", self.folder, "/usr/bin/tidemark", *words]

    def run(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, env={"PATH": "/usr/bin"}, timeout=60)

    def judge(self):
        """What must be so of every image."""
        assert self.run("--version").stdout.startswith("tidemark ")
        config = self.folder / "etc" / "tidemark" / "tidemark.yaml"
        config.write_text(CONFIG.replace("ZONE", "Europe/Berlin"))
        # Zones and ready-made rules are there.
        assert fault_of(*self.command("check", "-c", "/etc/tidemark/tidemark.yaml"), env={"PATH": "/usr/bin"}) == ""
        config.write_text(CONFIG.replace("ZONE", "Europe/Berlim"))
        assert self.run("check", "-c", "/etc/tidemark/tidemark.yaml").returncode == BAD_CONFIG
        # A name is looked up, by what the image brings for that and the two files that whoever runs it puts there.
        (self.folder / "etc" / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (self.folder / "etc" / "hosts").write_text("127.0.0.1 redis.test\n")
        config.write_text(CONFIG.replace("ZONE", "UTC").replace("redis://127.0.0.1", "redis://redis.test"))
        done = self.run("check", "-c", "/etc/tidemark/tidemark.yaml")
        assert done.returncode == UNREACHABLE and "Redis cannot be used: Connection refused" in done.stderr, done.stderr
        config.unlink()
        programs = [path for path in self.folder.rglob("*")
                    if path.is_file() and not path.is_symlink() and os.access(path, os.X_OK) and ".so" not in path.name]
        assert [path.name for path in programs] == ["tidemark"], "nothing else can be started"
        assert not [path for path in self.folder.rglob("*") if path.stat().st_mode & 0o6000], "nothing raises rights"
        assert (self.folder / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100000
        assert (self.folder / "usr/share/doc/tidemark/licences/librdkafka").is_file()


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("starting a program in another root needs root rights")


def test_its_root_holds_the_program_and_nothing_else_that_can_be_started(as_root, tmp_path):
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)  # pytest shuts its folders; the image's user must come in
    done = subprocess.run([REPO / "deploy" / "image-root", PROGRAM, tmp_path / "image"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    Image(tmp_path / "image").judge()


def buildah(storage, *words, check=True):
    done = subprocess.run(["buildah", "--root", storage / "root", "--runroot", storage / "run", "--storage-driver", "vfs", *words],
                          capture_output=True, text=True, timeout=3000)
    assert not check or done.returncode == 0, f"buildah {words[0]}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done


@pytest.mark.skipif(os.environ.get("TIDEMARK_TESTS") != "full", reason="builds everything anew: tests/run --full")
def test_the_dockerfile_builds_it_on_a_clean_debian(as_root, clean_root, tmp_path):
    if not shutil.which("buildah"):
        pytest.skip("buildah is missing: apt-get install buildah")
    container = buildah(tmp_path, "from", "scratch").stdout.strip()
    probe = buildah(tmp_path, "run", "--isolation", "chroot", container, "true", check=False)
    if "permi" in probe.stderr:
        pytest.skip(f"this machine lets buildah run nothing: {probe.stderr.strip()}")
    buildah(tmp_path, "add", "--quiet", container, str(clean_root.folder), "/")
    buildah(tmp_path, "commit", "--quiet", container, "localhost/debian:clean")
    context = tmp_path / "context"
    subprocess.run(["git", "clone", "--quiet", "--no-local", REPO, context], check=True)
    settings = [word for name in ("PIP_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "http_proxy",
                                  "https_proxy", "no_proxy") if name in os.environ for word in ("--env", f"{name}={os.environ[name]}")]
    buildah(tmp_path, "bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--build-arg", "BASE=localhost/debian:clean",
            *settings, "--file", "deploy/Dockerfile", "--tag", "localhost/tidemark", str(context))
    made = buildah(tmp_path, "from", "--pull-never", "localhost/tidemark").stdout.strip()
    told = buildah(tmp_path, "inspect", "--format", "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}", made).stdout
    assert told.strip() == f"{USER}:{USER} [/usr/bin/tidemark] [run -c /etc/tidemark/tidemark.yaml]"
    Image(Root(buildah(tmp_path, "mount", made).stdout.strip()).folder).judge()
