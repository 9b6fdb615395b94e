#include "publish/encode.h"

#include "base/clock.h"
#include "publish/encode_parts.h"

#include <inttypes.h>

enum { HEADERS_ADDED_MAX = 6 };

int encode_dead_letter(const struct encoder *encoder, const struct record *record, struct bytes topic,
                       const struct header *headers, size_t headers_count, const char *reason, const char *detail,
                       struct arena *arena, struct output *out) {
    struct header *all = arena_alloc(arena, (headers_count + HEADERS_ADDED_MAX) * sizeof *all);
    if (!all) {
        return ERR_NO_MEMORY;
    }
    /* Ours come last: where a dead letter is sent again and dies again, the last header counts. */
    size_t count = 0;
    for (; count < headers_count; count++) {
        all[count] = headers[count];
    }
    const struct header added[] = {
        {bytes_of_text("tidemark-reason"), arena_copy(arena, bytes_of_text(reason))},
        {bytes_of_text("tidemark-detail"), arena_copy(arena, bytes_of_text(detail))},
        {bytes_of_text("tidemark-topic"), arena_copy(arena, topic)},
        {bytes_of_text("tidemark-partition"), encode_printf(arena, "%" PRId32, record->partition)},
        {bytes_of_text("tidemark-offset"), encode_printf(arena, "%" PRId64, record->offset)},
    };
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        if (!added[i].value.data) {
            return ERR_NO_MEMORY;
        }
        all[count++] = added[i];
    }
    *out = (struct output){
        .topic = encoder->dead_letters,
        .key = record->key,
        .value = record->value,
        .caused_ms = record->timestamp_ms >= 0 ? record->timestamp_ms : TIME_NONE,
    };
    if (record->value.size > DEAD_VALUE_BYTES_MAX) {
        out->value.size = DEAD_VALUE_BYTES_MAX;
        all[count] =
            (struct header){bytes_of_text("tidemark-truncated"), encode_printf(arena, "%zu", record->value.size)};
        if (!all[count++].value.data) {
            return ERR_NO_MEMORY;
        }
    }
    out->headers = all;
    out->headers_count = count;
    return 0;
}
