"""The Debian package: what is in it, and that it can be installed and removed in a clean Debian 12; the man page and the
completion, which must know every command and option that the program knows."""

import hashlib
import re

from roots import RELEASE, REPO, run

UNREACHABLE, BAD_CONFIG = 69, 78
COMMANDS = ("demo", "run", "check", "generate", "load", "get", "fit")


def options_of(command):
    told = run(RELEASE / "tidemark", command, "--help").stdout
    return set(re.findall(r"--[a-z-]+", told)) - {"--help", "--usage", "--version"}


def test_the_program_has_the_commands_that_are_tested_here():
    told = run(RELEASE / "tidemark", "--help").stdout
    assert tuple(re.findall(r"^  (\w+) ", told, re.M)) == COMMANDS


def test_the_package_holds_what_it_should(package):
    listed = run("dpkg-deb", "--contents", package).stdout
    rows = {row[5]: row for row in (line.split(None, 5) for line in listed.splitlines())}
    for path, mode in {
            "./usr/bin/tidemark": "-rwxr-xr-x", "./usr/lib/systemd/system/tidemark.service": "-rw-r--r--",
            "./etc/tidemark/tidemark.yaml": "-rw-r--r--", "./etc/tidemark/secrets/": "drwx------",
            "./usr/share/man/man1/tidemark.1.gz": "-rw-r--r--", "./usr/share/bash-completion/completions/tidemark": "-rw-r--r--",
            "./usr/share/tidemark/config/churn.yaml": "-rw-r--r--", "./usr/share/doc/tidemark/copyright": "-rw-r--r--",
            "./usr/share/doc/tidemark/deploy/README.md": "-rw-r--r--", "./usr/share/doc/tidemark/licences/librdkafka": "-rw-r--r--",
            "./usr/share/doc/tidemark/deploy/prometheus/alerts.yml": "-rw-r--r--"}.items():
        assert path in rows and rows[path][0] == mode, f"{path}: {rows.get(path)}"
    assert {row[1] for row in rows.values()} == {"root/root"}
    told = run("dpkg-deb", "--field", package).stdout
    assert "libssl3" in told and "tzdata" in told and "librdkafka" not in told


def test_it_can_be_installed_changed_and_removed_in_a_clean_debian(package, clean_root):
    inside = clean_root.folder / "root" / package.name
    inside.write_bytes(package.read_bytes())
    # A service that started by itself would be seen by this.
    policy = clean_root.folder / "usr" / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\necho \"$@\" >>/root/services\nexit 101\n")
    policy.chmod(0o755)
    clean_root.run("apt-get -qq update && apt-get -qq install --yes --no-install-recommends /root/" + package.name)
    assert not clean_root.has("/root/services")
    assert not list((clean_root.folder / "etc" / "systemd").rglob("tidemark.service")), "the service is enabled"
    assert "tidemark 0." in clean_root.run("tidemark --version").stdout
    assert clean_root.run("stat -c %a /etc/tidemark/secrets").stdout.strip() == "700"

    # The sample is a good configuration; nobody answers behind its addresses.
    assert clean_root.run("tidemark check -c /etc/tidemark/tidemark.yaml", check=False).returncode == UNREACHABLE
    told = clean_root.run("tidemark check -c /etc/tidemark/tidemark.yaml --set grupp=x", check=False)
    assert told.returncode == BAD_CONFIG and "group" in told.stderr
    # Ready-made files can be included from where the package has them.
    clean_root.run("printf 'include: [/usr/share/tidemark/config/value.yaml]\\n' >/root/mine.yaml")
    assert clean_root.run("tidemark check -c /root/mine.yaml", check=False).returncode == UNREACHABLE

    # What the operator has changed stays, also over a new version and a removal; purging takes all.
    clean_root.run("printf '# mine\\n' >>/etc/tidemark/tidemark.yaml && printf secret >/etc/tidemark/secrets/redis")
    clean_root.run(f"dpkg --install /root/{package.name}")
    assert "# mine" in (clean_root.folder / "etc/tidemark/tidemark.yaml").read_text()
    clean_root.run("dpkg --remove tidemark")
    assert not clean_root.has("/usr/bin/tidemark") and not clean_root.has("/usr/lib/systemd/system/tidemark.service")
    assert "# mine" in (clean_root.folder / "etc/tidemark/tidemark.yaml").read_text()
    clean_root.run("dpkg --purge tidemark")
    for path in ("/etc/tidemark", "/usr/share/tidemark", "/usr/share/doc/tidemark", "/usr/share/man/man1/tidemark.1.gz"):
        assert not clean_root.has(path), path
    assert "tidemark" not in clean_root.run("dpkg --list").stdout


def test_the_checksums_are_right(package, tmp_path):
    assert run("dpkg-deb", "--raw-extract", package, tmp_path).returncode == 0
    sums = (tmp_path / "DEBIAN" / "md5sums").read_text().splitlines()
    assert len(sums) > 20
    for line in sums:
        checksum, path = line.split(None, 1)
        assert hashlib.md5((tmp_path / path).read_bytes()).hexdigest() == checksum, path
    assert (tmp_path / "DEBIAN" / "conffiles").read_text() == "/etc/tidemark/tidemark.yaml\n"
    for script in ("postinst", "prerm", "postrm"):
        assert (tmp_path / "DEBIAN" / script).stat().st_mode & 0o777 == 0o755
        assert run("sh", "-n", tmp_path / "DEBIAN" / script).returncode == 0


def test_the_man_page_knows_every_command_and_option():
    page = REPO / "deploy" / "man" / "tidemark.1"
    lint = run("mandoc", "-T", "lint", "-W", "warning", page)
    assert lint.returncode == 0, lint.stdout
    text = run("mandoc", "-T", "ascii", page).stdout
    text = re.sub(r".\x08", "", text)  # bold is overstruck
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\b", text, re.M), command
        for option in options_of(command):
            assert option in text, f"{command} {option}"


def complete(*words):
    """What bash offers for the last word."""
    script = f"""source {REPO}/deploy/completion/tidemark
        COMP_WORDS=({' '.join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}
        _tidemark; printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = run("bash", "-c", script)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


def test_the_completion_knows_every_command_and_option():
    assert complete("tidemark", "") == {*COMMANDS, "--help", "--version"}
    assert complete("tidemark", "ge") == {"generate", "get"}
    for command in COMMANDS:
        assert complete("tidemark", command, "--") - {"--help", "--usage", "--version"} == options_of(command), command
    assert str(REPO / "deploy" / "README.md") in complete("tidemark", "run", "-c", f"{REPO}/deploy/READ")
    assert complete("tidemark", "get", "--at", "") == set()
