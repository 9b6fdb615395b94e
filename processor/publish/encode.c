#include "publish/encode.h"

#include "publish/encode_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { TEXT_BYTES_MAX = 160, ID_TAIL_BYTES_MAX = 64 };

struct bytes encode_printf(struct arena *arena, const char *format, ...) {
    char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0 && size < TEXT_BYTES_MAX); /* numbers and our own words only */
    return arena_copy(arena, bytes_of(text, (size_t)size));
}

/* The number's last `count` digits, at `at`; the place behind them. */
static char *put_digits(char *at, int number, int count) {
    for (int i = count; i-- > 0; number /= 10) {
        at[i] = (char)('0' + number % 10);
    }
    return at + count;
}

/* By hand, as every tier change has one: printf would be half of what its headers cost. */
struct bytes encode_time(struct arena *arena, int64_t time_ms) {
    char text[sizeof "YYYY-MM-DDThh:mm:ss.mmmZ"];
    int64_t second = time_ms / MS_PER_SECOND - (time_ms % MS_PER_SECOND < 0);
    int64_t ms = time_ms - second * MS_PER_SECOND;
    time_t seconds = (time_t)second;
    struct tm utc;
    ASSERT(gmtime_r(&seconds, &utc)); /* fails only for years beyond an int */
    int year = utc.tm_year + 1900;
    if (year < 0 || year > 9999) { /* no four digits */
        return encode_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, utc.tm_mon + 1, utc.tm_mday,
                             utc.tm_hour, utc.tm_min, utc.tm_sec, (int)ms);
    }
    const struct {
        int number;
        int count;
        char behind;
    } parts[] = {{year, 4, '-'},       {utc.tm_mon + 1, 2, '-'}, {utc.tm_mday, 2, 'T'}, {utc.tm_hour, 2, ':'},
                 {utc.tm_min, 2, ':'}, {utc.tm_sec, 2, '.'},     {(int)ms, 3, 'Z'}};
    char *at = text;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        at = put_digits(at, parts[i].number, parts[i].count);
        *at++ = parts[i].behind;
    }
    return arena_copy(arena, bytes_of(text, (size_t)(at - text)));
}

static char *append(char *at, struct bytes bytes) {
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

/* "<group>/<set>/<customer>/<sequence>", and behind it "/will-fall/<told>/<time>" for a notice. */
static struct bytes change_id(const struct encoder *encoder, struct bytes set, struct bytes customer,
                              const struct tier_change *change, struct arena *arena) {
    size_t size_max = encoder->group.size + set.size + customer.size + 3 + ID_TAIL_BYTES_MAX;
    char *id = arena_alloc(arena, size_max);
    if (!id) {
        return (struct bytes){NULL, 0};
    }
    char *at = append(id, encoder->group);
    *at++ = '/';
    at = append(at, set);
    *at++ = '/';
    at = append(at, customer);
    *at++ = '/';
    struct buffer tail = {.data = at, .capacity = ID_TAIL_BYTES_MAX};
    buffer_put_decimal(&tail, change->sequence);
    if (change->direction == DIRECTION_WILL_FALL) {
        buffer_put_text(&tail, "/will-fall/");
        buffer_put_decimal(&tail, change->effective_ms);
        buffer_put_byte(&tail, '/');
        buffer_put_decimal(&tail, change->forecast_ms);
    }
    return bytes_of(id, (size_t)(at - id) + tail.size);
}

static struct bytes source_of(const struct encoder *encoder, struct arena *arena) {
    static const char prefix[] = "/tidemark/";
    size_t size = sizeof prefix - 1 + encoder->group.size;
    char *source = arena_alloc(arena, size);
    if (!source) {
        return (struct bytes){NULL, 0};
    }
    (void)append(append(source, bytes_of(prefix, sizeof prefix - 1)), encoder->group);
    return bytes_of(source, size);
}

static int add_cloud_event_headers(const struct encoder *encoder, const struct tier_change_text *text,
                                   struct arena *arena, struct output *out) {
    const struct header headers[] = {
        {bytes_of_text("ce_specversion"), bytes_of_text("1.0")},
        {bytes_of_text("ce_type"),
         bytes_of_text(text->change->direction == DIRECTION_WILL_FALL ? "io.tidemark.tier_will_fall.v1"
                                                                      : "io.tidemark.tier_change.v1")},
        {bytes_of_text("ce_source"), source_of(encoder, arena)},
        {bytes_of_text("ce_id"), text->id},
        {bytes_of_text("ce_time"), encode_time(arena, text->change->effective_ms)},
        {bytes_of_text("ce_subject"), text->customer_id},
        {bytes_of_text("content-type"),
         bytes_of_text(encoder->format == OUTPUT_JSON ? "application/json" : "application/x-protobuf")},
    };
    size_t count = sizeof headers / sizeof *headers;
    struct header *kept = arena_alloc(arena, sizeof headers);
    if (!kept) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (!headers[i].value.data) {
            return ERR_NO_MEMORY;
        }
        kept[i] = headers[i];
    }
    out->headers = kept;
    out->headers_count = count;
    return 0;
}

int encode_tier_change(const struct encoder *encoder, struct bytes customer_id, const struct tier_change *change,
                       int64_t caused_ms, struct arena *arena, struct output *out) {
    struct bytes set = model_set_name(encoder->model, change->set);
    struct bytes topic = model_set_topic(encoder->model, change->set);
    struct tier_change_text text = {
        .model = encoder->model,
        .change = change,
        .id = change_id(encoder, set, customer_id, change, arena),
        .customer_id = arena_copy(arena, customer_id),
    };
    if (!text.id.data || !text.customer_id.data) {
        return ERR_NO_MEMORY;
    }
    *out = (struct output){
        .topic = topic.data ? topic : encoder->tier_changes,
        .key = text.customer_id,
        .caused_ms = caused_ms,
    };
    int err = encoder->format == OUTPUT_JSON ? encode_tier_change_json(&text, arena, &out->value)
                                             : encode_tier_change_protobuf(&text, arena, &out->value);
    return err ? err : add_cloud_event_headers(encoder, &text, arena, out);
}
