"""The test servers themselves: they start, die, freeze and forget as the campaigns need."""

import time
import uuid

import pytest
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from servers import Kafka, Redis
from topics import Topics


@pytest.fixture
def own_kafka(tmp_path):
    server = Kafka(tmp_path / "kafka")
    try:
        yield server.start().wait_ready()
    finally:
        server.destroy()


def test_kafka_keeps_records_through_a_kill(own_kafka):
    topics = Topics(own_kafka.bootstrap)
    topics.create({"t": 2})
    topics.produce([("t", 0, b"k", b"v", 1000, [("h", b"1")]), ("t", 1, None, b"w", 2000, [])])
    own_kafka.kill()
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": own_kafka.bootstrap, "log_level": 0}).list_topics(timeout=1)
    own_kafka.start().wait_ready()
    found = {(m.partition(), m.offset(), m.key(), m.value(), m.timestamp()[1]) for m in topics.read("t")}
    assert found == {(0, 0, b"k", b"v", 1000), (1, 0, None, b"w", 2000)}


def test_readers_see_committed_records_only(kafka):
    topics = Topics(kafka.bootstrap)
    name = f"t-{uuid.uuid4()}"
    topics.create({name: 1})
    producer = topics.producer({"transactional.id": name})
    producer.init_transactions()
    for value, end in ((b"a", producer.abort_transaction), (b"b", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(name, value)
        producer.flush()
        end()
    assert [m.value() for m in topics.read(name)] == [b"b"]


def test_redis_with_fsync_keeps_everything(tmp_path):
    server = Redis(tmp_path / "redis", durability="always").start().wait_ready()
    server.client().set("a", 1)
    server.kill()
    with pytest.raises(redis.ConnectionError):
        server.client().ping()
    server.start().wait_ready()
    assert server.client().get("a") == b"1"
    server.destroy()


def test_redis_can_forget_what_came_after_a_copy(redis_server):
    client = redis_server.client()
    client.set("a", 1)
    wait_s = 1.5  # everysec
    time.sleep(wait_s)
    redis_server.save_copy()
    client.set("b", 1)
    time.sleep(wait_s)
    redis_server.lose_since_copy().wait_ready()
    assert redis_server.client().keys() == [b"a"]


def test_a_frozen_server_does_not_answer_until_it_is_thawed(redis_server):
    redis_server.freeze()
    with pytest.raises(redis.TimeoutError):
        redis_server.client().ping()
    redis_server.thaw()
    assert redis_server.client().ping()
