/* The inside of kafka_consumer.c and kafka_source.c. */
#ifndef TIDEMARK_INGEST_KAFKA_PARTS_H
#define TIDEMARK_INGEST_KAFKA_PARTS_H

#include "base/clock.h"
#include "ingest/kafka_consumer.h"

#include <librdkafka/rdkafka.h>

enum {
    SOURCE_BATCH = 512,     /* messages taken from librdkafka's queue at once */
    ENDS_STALE_MS = 5000,   /* ends not confirmed for this long count as unknown */
    ENDS_TIMEOUT_MS = 3000, /* for one question about them */
};

struct kafka_input { /* one partition of one topic */
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *messages[SOURCE_BATCH];
    size_t at;
    size_t count;
    struct record record; /* of messages[at] */
    int64_t position;     /* the first offset not released; OFFSET_NONE: the beginning, not known yet */
    int64_t eof;          /* the end as librdkafka met it; OFFSET_NONE: not at the end */
    int64_t end;          /* as the broker last answered; OFFSET_NONE: never */
    int64_t answered_ms;  /* monotonic; when */
    int64_t asked_ms;     /* wall clock of the question that `end` answers */
    uint64_t empty_at;    /* the turn at which the queue was found empty */
};

struct kafka_source {
    struct kafka_source *next;
    struct kafka_consumer *consumer;
    int32_t partition;
    bool started;  /* the task has taken over and said where */
    bool assigned; /* and librdkafka fetches from there */
    struct kafka_input inputs[INPUTS];
    int64_t confirmed_ms; /* the latest at which all had been read */
    char problem[256];
};

struct kafka_consumer {
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_queue_t *answers;
    int wake_fd;
    struct kafka_consumer_callbacks callbacks;
    const char *topics[INPUTS];
    struct kafka_source *sources;
    bool closing;
    bool restart;       /* some source has started and is not assigned yet */
    int64_t restart_ms; /* monotonic: since when */
    bool asking;        /* a question for ends is on its way */
    bool ask_again;     /* it does not ask for all that have started */
    int64_t asked_wall_ms;
    int64_t answered_ms; /* monotonic: the latest answer of any broker */
    uint64_t turn;       /* of kafka_consumer_serve */
};

/* The ends of the partitions as answered to a question asked at wall clock asked_ms. */
void kafka_source_set_end(struct kafka_source *source, enum input input, int64_t end, int64_t asked_ms);
/* Where fetching has to start again: drops what is buffered. */
int64_t kafka_source_restart(struct kafka_source *source, enum input input);

#endif
