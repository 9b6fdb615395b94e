#include "ingest/decode.h"

/* The two hashes that Kafka producers use to choose a partition: Java's murmur2 (the Java client's
 * default; librdkafka's "murmur2") and CRC-32 (librdkafka's "consistent"). Test vectors of both in
 * tests/unit/test_partitioner.c. */

static uint32_t word_at(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* MurmurHash2 by Austin Appleby (public domain), with the seed of org.apache.kafka.common.utils. */
static uint32_t murmur2(struct bytes key) {
    static const uint32_t seed = 0x9747b28c;
    static const uint32_t m = 0x5bd1e995;
    const unsigned char *at = (const unsigned char *)key.data;
    size_t left = key.size;
    uint32_t hash = seed ^ (uint32_t)key.size;
    for (; left >= 4; left -= 4, at += 4) {
        uint32_t k = word_at(at) * m;
        k = (k ^ k >> 24) * m;
        hash = hash * m ^ k;
    }
    if (left > 0) {
        for (size_t i = left; i-- > 0;) {
            hash ^= (uint32_t)at[i] << (8 * i);
        }
        hash *= m;
    }
    hash = (hash ^ hash >> 13) * m;
    return hash ^ hash >> 15;
}

/* CRC-32 (IEEE 802.3, reflected), four bits at a time: keys are short, the table is too. */
static uint32_t crc32_of(struct bytes key) {
    static const uint32_t nibbles[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                         0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                         0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < key.size; i++) {
        crc ^= (unsigned char)key.data[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

int32_t partition_of(enum partitioner partitioner, struct bytes key, int32_t partitions) {
    ASSERT(partitions > 0);
    uint32_t hash = partitioner == PARTITIONER_MURMUR2 ? murmur2(key) & 0x7fffffff : crc32_of(key);
    return (int32_t)(hash % (uint32_t)partitions);
}
