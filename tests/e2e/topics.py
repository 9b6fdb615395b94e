"""The client's side of Kafka: making topics, writing records, and reading what is committed."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

READ_TIMEOUT_S = 60


class Topics:
    """Everything on one broker."""

    def __init__(self, bootstrap):
        self._settings = {"bootstrap.servers": bootstrap, "log_level": 3}
        self._admin = AdminClient(self._settings)

    def create(self, partitions):
        """Makes topics: name -> number of partitions."""
        made = self._admin.create_topics([NewTopic(name, count, 1) for name, count in partitions.items()])
        for future in made.values():
            future.result()

    def delete(self, topic):
        """Returns when it is gone, or never was there."""
        end = time.monotonic() + READ_TIMEOUT_S
        while topic in self._admin.list_topics(timeout=10).topics:
            assert time.monotonic() < end, f"{topic} is still there"
            for future in self._admin.delete_topics([topic]).values():
                try:
                    future.result()
                except KafkaException:
                    time.sleep(0.1)  # it is being deleted

    def producer(self, settings=None):
        return Producer(self._settings | (settings or {}))

    def produce(self, records):
        """Writes (topic, partition, key, value, timestamp_ms, headers), in order within each partition."""
        failed = []

        def delivered(error, _message):
            if error:
                failed.append(error)

        producer = self.producer({"enable.idempotence": True})
        for topic, partition, key, value, timestamp_ms, headers in records:
            producer.poll(0)
            producer.produce(topic, value, key, partition, delivered, timestamp=timestamp_ms, headers=headers)
        assert producer.flush(READ_TIMEOUT_S) == 0 and not failed, failed

    def partitions(self, topic):
        return [TopicPartition(topic, number) for number in self._admin.list_topics(topic).topics[topic].partitions]

    def read(self, *topics):
        """All committed records, each partition in order."""
        return list(self.records(*topics))

    def records(self, *topics):
        """The same, one after the other: for more than memory should hold."""
        consumer = Consumer(self._settings | {
            "group.id": "reader", "isolation.level": "read_committed", "auto.offset.reset": "earliest",
            "enable.partition.eof": True, "enable.auto.commit": False})
        open_partitions = {(part.topic, part.partition) for topic in topics for part in self.partitions(topic)}
        consumer.assign([TopicPartition(topic, number, 0) for topic, number in open_partitions])
        end = time.monotonic() + READ_TIMEOUT_S
        try:
            while open_partitions:
                assert time.monotonic() < end, f"never came to the end of {open_partitions}"
                for message in consumer.consume(1000, timeout=0.1):
                    if message.error() is None:
                        yield message
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        open_partitions.discard((message.topic(), message.partition()))
                    else:
                        raise AssertionError(message.error())
        finally:
            consumer.close()

    def ends(self, *topics):
        """(topic, partition) -> offset of the next record to come, transaction markers included."""
        consumer = Consumer(self._settings | {"group.id": "reader"})
        try:
            return {(part.topic, part.partition): self._end(consumer, part) for topic in topics for part in self.partitions(topic)}
        finally:
            consumer.close()

    @staticmethod
    def _end(consumer, part):
        """Asked again while the partition has no leader, as just after the broker's start."""
        end = time.monotonic() + READ_TIMEOUT_S
        while True:
            try:
                return consumer.get_watermark_offsets(part, timeout=10)[1]
            except KafkaException:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def committed(self, group, *topics):
        """(topic, partition) -> offset that the group has committed, transactions in doubt left out."""
        commits = self.commits(group, *topics)
        try:
            return commits.now()
        finally:
            commits.close()

    def commits(self, group, *topics):
        """To be asked often."""
        return Commits(self._settings, group, [part for topic in topics for part in self.partitions(topic)])


class Commits:
    """What a group has committed, asked by a consumer that never joins it: the admin client of librdkafka crashes on the
    answer of a broker that is still loading the group (it has no consumer group of its own to tell).
    """

    def __init__(self, settings, group, parts):
        self._consumer = Consumer(settings | {"group.id": group, "isolation.level": "read_uncommitted"})
        self._parts = parts

    def close(self):
        self._consumer.close()

    def now(self):
        """(topic, partition) -> offset; empty while nobody knows, as the broker is away, or loads the group."""
        try:
            parts = self._consumer.committed(self._parts, timeout=10)
        except KafkaException:
            return {}
        return {(part.topic, part.partition): part.offset for part in parts if part.offset >= 0}
