"""Kafka with SASL and an authorizer: the rights that the operator's guide names are enough, and each of them is needed."""

import argparse
import itertools
import re
import shlex

import pytest
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType,
                                   ResourceType)

import workload
from campaign import Campaign, compare, flat
from servers import TESTS, StrictKafka, Tidemark, wait_until

UNREACHABLE, BAD_CONFIG = 69, 78


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    server = StrictKafka(tmp_path_factory.mktemp("strict"))
    try:
        yield server.start().wait_ready()
    finally:
        server.destroy()


@pytest.fixture
def campaign(strict, redis_server, tmp_path):
    """Topics made and events written by the administrator; processes are the user who may nothing yet."""
    run = Campaign(strict, redis_server, tmp_path)
    run.load(workload.shop(seed=1)[:3000])
    run.config["kafka"] |= strict.client_settings()
    yield run
    run.destroy()
    everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
    administrator = AdminClient({"bootstrap.servers": strict.bootstrap})
    for future in administrator.delete_acls([everything]).values():
        future.result()


def rights_of_guide(campaign):
    """One list of ACLs for each command of deploy/README.md, in the names of the campaign."""
    guide = (TESTS.parent / "deploy" / "README.md").read_text()
    [principal] = re.findall(r"--allow-principal (\S+)", guide)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--operation")
    parser.add_argument("--topic", action="append", default=[])
    parser.add_argument("--group", action="append", default=[])
    parser.add_argument("--transactional-id", action="append", default=[])
    parser.add_argument("--resource-pattern-type", default="literal")
    topics = {word.replace("_", "-"): name for word, name in campaign.names.items()}
    for line in re.findall(r"^ *acl (--.*)$", guide, re.M):
        words = parser.parse_args(shlex.split(line))
        named = [(ResourceType.TOPIC, name) for topic in words.topic for name in own_topics(campaign, topics[topic])]
        named += [(ResourceType.GROUP, name.replace("shop", campaign.group)) for name in words.group]
        named += [(ResourceType.TRANSACTIONAL_ID, name.replace("shop", campaign.group)) for name in words.transactional_id]
        yield line, [AclBinding(kind, name, ResourcePatternType[words.resource_pattern_type.upper()], principal, "*",
                                AclOperation[words.operation.upper()], AclPermissionType.ALLOW) for kind, name in named]


def own_topics(campaign, name):
    return campaign.out_topics if name == campaign.names["tier_changes"] else [name]


def grant(strict, bindings):
    administrator = AdminClient({"bootstrap.servers": strict.bootstrap})
    for future in administrator.create_acls(bindings).values():
        future.result()


def test_the_rights_of_the_guide_are_enough(strict, campaign):
    rights = list(rights_of_guide(campaign))
    assert len(rights) == 4
    grant(strict, list(itertools.chain.from_iterable(bindings for _line, bindings in rights)))
    process = campaign.process()
    assert process.cli("check").returncode == 0
    process.start().wait_ready()
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    assert process.terminate() == 0
    assert "authoriz" not in process.log.read_text().lower()
    assert StrictKafka.PASSWORD not in process.log.read_text()


@pytest.mark.parametrize("missing", range(4))
def test_each_of_them_is_needed(strict, campaign, missing):
    """Without it the process says so, and commits nothing."""
    rights = list(rights_of_guide(campaign))
    line, _bindings = rights.pop(missing)
    grant(strict, list(itertools.chain.from_iterable(bindings for _line, bindings in rights)))
    process = campaign.start()
    wait_until(lambda: re.search("authoriz|missing topics", process.log.read_text().lower()), 30, f"told that this is missing: {line}")
    assert not campaign.is_read()
    process.kill()


def test_a_wrong_password_is_told_and_not_shown(strict, campaign):
    campaign.config["kafka"] |= strict.client_settings(password="wrong-password")
    tool = Tidemark(campaign.folder / "check", campaign.config, "check")
    done = tool.cli("check")
    tool.destroy()
    assert done.returncode in (UNREACHABLE, BAD_CONFIG) and "Authentication failed" in done.stderr, done.stderr
    assert "wrong-password" not in done.stderr
