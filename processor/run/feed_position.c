#include "run/feed_position.h"

#include <stdlib.h>

void feed_position_write(const struct feed_position *position, struct buffer *out) {
    size_t start = out->size;
    for (size_t i = 0; i < position->topics_count; i++) {
        const struct feed_topic *topic = &position->topics[i];
        buffer_put_text(out, i == 0 ? "" : ";");
        buffer_put_text(out, topic->name);
        for (size_t partition = 0; partition < topic->partitions; partition++) {
            buffer_put_byte(out, partition == 0 ? ':' : ',');
            buffer_put_decimal(out, topic->next[partition]);
        }
    }
    if (out->size - start > FEED_POSITION_BYTES_MAX) {
        out->size = start;
    }
}

/* Takes what stands before the separator, which goes too; all there is where it does not come. */
static struct bytes take_until(struct bytes *text, char separator) {
    const char *end = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;
    size_t size = end ? (size_t)(end - text->data) : text->size;
    struct bytes taken = bytes_of(text->data, size);
    size_t gone = end ? size + 1 : size;
    *text = bytes_of(text->data + gone, text->size - gone);
    return taken;
}

static bool is_offset(struct bytes digits) {
    enum { OFFSET_DIGITS_MAX = 18 };
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
    }
    return digits.size > 0 && digits.size <= OFFSET_DIGITS_MAX;
}

static bool is_topic_name(struct bytes name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == '-')) {
            return false;
        }
    }
    return name.size > 0;
}

bool feed_position_is_valid(struct bytes text) {
    bool valid = text.size > 0 && text.data[text.size - 1] != ';';
    while (valid && text.size > 0) {
        struct bytes offsets = take_until(&text, ';');
        valid = is_topic_name(take_until(&offsets, ':'));
        valid = valid && offsets.size > 0 && offsets.data[offsets.size - 1] != ',';
        while (valid && offsets.size > 0) {
            valid = is_offset(take_until(&offsets, ','));
        }
    }
    return valid;
}

static int64_t number_of(struct bytes digits) {
    int64_t number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        number = number * 10 + (digits.data[i] - '0');
    }
    return number;
}

void feed_position_read(struct feed_position *position, struct bytes text) {
    while (text.size > 0) {
        struct bytes offsets = take_until(&text, ';');
        struct bytes name = take_until(&offsets, ':');
        for (size_t i = 0; i < position->topics_count; i++) {
            struct feed_topic *topic = &position->topics[i];
            if (!bytes_equal_text(name, topic->name)) {
                continue;
            }
            for (size_t partition = 0; partition < topic->partitions; partition++) {
                topic->next[partition] = offsets.size > 0 ? number_of(take_until(&offsets, ',')) : 0;
            }
        }
    }
}

int64_t *feed_position_of(struct feed_position *position, const char *topic, int32_t partition) {
    for (size_t i = 0; i < position->topics_count; i++) {
        struct feed_topic *of = &position->topics[i];
        if (strcmp(of->name, topic) == 0 && partition >= 0 && (size_t)partition < of->partitions) {
            return &of->next[partition];
        }
    }
    return NULL;
}

void feed_position_finish(struct feed_position *position) {
    for (size_t i = 0; i < position->topics_count; i++) {
        free(position->topics[i].next);
    }
    *position = (struct feed_position){.topics_count = 0};
}
