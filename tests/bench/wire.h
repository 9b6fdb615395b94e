/* A producer of the bench's programs, and how they end when something is wrong. */
#ifndef TIDEMARK_BENCH_WIRE_H
#define TIDEMARK_BENCH_WIRE_H

#include "mix.h"

#include <librdkafka/rdkafka.h>

struct wire {
    rd_kafka_t *producer;
    const char *topics[3]; /* purchases, interactions, feedback */
};

/* Prints the problem and ends the program. */
_Noreturn void wire_fail(const char *problem);
/* `linger_ms` "0" where somebody waits for each record; compressed otherwise. */
void wire_init(struct wire *wire, const char *bootstrap, const char *linger_ms, char *const topics[3]);
/* Sends the event, its record dated as itself; waits while the queue is full. A record that fails ends the program. */
void wire_send(struct wire *wire, const struct mix_event *event, struct bytes value);
/* Waits until all are in Kafka. */
void wire_finish(struct wire *wire);
/* A client with these settings, name and value in turns, NULL at the end. */
rd_kafka_t *wire_client(rd_kafka_type_t type, const char *const *settings);

#endif
