"""Redis behind TLS, a socket, and rights: what is verified, and what is refused."""

import re
import subprocess

import pytest

import workload
from campaign import Campaign, compare, flat
from servers import TESTS, Redis, Tidemark, free_port, wait_until

UNREACHABLE, BAD_CONFIG = 69, 78
USER, PASSWORD = "scoring", "s3cret-of-redis"
NOT_NEEDED_HERE = {"wait", "set"}  # durability replicas:N; cut points, which the rules of these tests do not have


def rights_of_guide(group):
    """The words of the ACL SETUSER that deploy/README.md asks an operator for."""
    guide = (TESTS.parent / "deploy" / "README.md").read_text()
    [words] = re.findall(r"ACL SETUSER tidemark (.*?)```", guide, re.S)
    return words.replace("PASSWORD", PASSWORD).replace("{shop.*}", f"{{{group}.*}}").split()


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate authority, a server certificate for `localhost` only, and an authority that signed nothing of it."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "stranger"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.pem")
    return folder


class TlsRedis(Redis):
    """Speaks TLS on one port and nothing else; a plain port for the test's own client."""

    def __init__(self, folder, certificates):
        super().__init__(folder)
        self.tls_port = free_port()
        self.settings |= {
            "tls-port": self.tls_port, "tls-cert-file": certificates / "server.pem", "tls-key-file": certificates / "server.key",
            "tls-ca-cert-file": certificates / "ca.pem", "tls-auth-clients": "no"}


@pytest.fixture
def tls_redis(tmp_path, certificates):
    server = TlsRedis(tmp_path / "redis", certificates).start().wait_ready()
    yield server
    server.destroy()


def check(campaign, **redis):
    tool = Tidemark(campaign.folder / "check", campaign.config | {"redis": redis}, "check")
    done = tool.cli("check")
    tool.destroy()
    return done.returncode, done.stderr


@pytest.fixture
def campaign(kafka, tls_redis, tmp_path):
    run = Campaign(kafka, tls_redis, tmp_path)
    yield run
    run.destroy()


def test_tls_verifies_the_certificate_and_the_name(campaign, tls_redis, certificates):
    ca, stranger = str(certificates / "ca.pem"), str(certificates / "stranger.pem")
    good = {"url": f"rediss://localhost:{tls_redis.tls_port}/0", "ca_file": ca}
    assert check(campaign, **good)[0] == 0
    code, said = check(campaign, **good | {"ca_file": stranger})
    assert code == UNREACHABLE and "certificate" in said.lower(), said
    code, said = check(campaign, url=good["url"])  # the system's authorities do not know it
    assert code == UNREACHABLE and "certificate" in said.lower(), said
    code, said = check(campaign, **good | {"url": f"rediss://127.0.0.1:{tls_redis.tls_port}/0"})  # not its name
    assert code == UNREACHABLE, said
    code, said = check(campaign, **good | {"url": f"rediss://localhost:{tls_redis.port}/0"})  # TLS to a plain port
    assert code == UNREACHABLE, said


def test_a_campaign_over_tls_with_a_user_of_few_rights(campaign, tls_redis, certificates):
    """The rights are those of the operator's guide: nothing else is needed, all of it is, and `default` may be off."""
    rights = rights_of_guide(campaign.group)
    tls_redis.client().execute_command("ACL", "SETUSER", USER, *rights)
    campaign.config["redis"] = {"url": f"rediss://localhost:{tls_redis.tls_port}/1", "ca_file": str(certificates / "ca.pem"),
                                "username": USER, "password": PASSWORD}
    campaign.config["tier_sets"]["lifecycle"]["tiers"][0]["treatment"] = {"alert": "us"}
    campaign.load(workload.shop(seed=1)[:4000])
    process = campaign.start().wait_ready()
    campaign.wait_read()
    for path in ("customers/cdnow-0004", "tiers", "feedback", "alerts", "tasks"):
        assert process.http(f"/v1/{path}")[0] == 200, path
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    looked = process.cli("get", next(iter(expected.changes)))
    assert looked.returncode == 0, looked.stderr
    process.cli("fit")  # reads every customer; whether they are enough for a fit does not matter here
    assert check(campaign, **campaign.config["redis"] | {"durability": "fsync"})[0] == BAD_CONFIG  # asks for appendfsync
    assert tls_redis.client().execute_command("ACL", "LOG") == []
    used = {name.removeprefix("cmdstat_") for name in tls_redis.client().info("commandstats")}
    assert {word[1:] for word in rights if word.startswith("+")} - NOT_NEEDED_HERE <= used
    assert PASSWORD not in process.log.read_text()
    code, said = check(campaign, **campaign.config["redis"] | {"password": "wrong"})
    assert code == BAD_CONFIG and "AUTH" in said and "wrong" not in said, said
    tls_redis.client().execute_command("ACL", "SETUSER", USER, "-info")
    code, said = check(campaign, **campaign.config["redis"])
    assert code == BAD_CONFIG and "INFO" in said, said


def test_over_a_socket(kafka, tmp_path):
    socket = tmp_path / "redis.sock"
    server = Redis(tmp_path / "redis", unixsocket=socket).start().wait_ready()
    run = Campaign(kafka, server, tmp_path)
    try:
        run.config["redis"] = {"url": f"unix://{socket}?db=3"}
        run.load(workload.shop(seed=1)[:500])
        run.start().wait_ready()
        run.wait_read()
        wait_until(lambda: server.client().info("keyspace").get("db3"), 10, "state in database 3")
    finally:
        run.destroy()
        server.destroy()
