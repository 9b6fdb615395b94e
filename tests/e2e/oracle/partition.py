"""Which partition a key belongs to, as the Java client's default partitioner has it."""

_MASK = 0xFFFFFFFF


def murmur2(key):
    """Murmur2 of Kafka, unsigned."""
    m = 0x5BD1E995
    h = (0x9747B28C ^ len(key)) & _MASK
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & _MASK
        k = (k ^ k >> 24) * m & _MASK
        h = h * m & _MASK ^ k
    if whole < len(key):
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & _MASK
    h = (h ^ h >> 13) * m & _MASK
    return h ^ h >> 15


def partition_of(key, partitions):
    """The partition of a key among so many."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
