#include "publish/encode.h"

#include "publish/encode_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { TEXT_BYTES_MAX = 160 };

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
static inline char *put_digits(char *at, int number, int count) {
    for (int i = count; i-- > 0; number /= 10) {
        at[i] = (char)('0' + number % 10);
    }
    return at + count;
}

/* Year, month and day of a day since 1970, by the proleptic Gregorian calendar. Years begin in March, so that the leap day is
 * their last: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static void date_of(int64_t day, int64_t *year, int *month, int *day_of_month) {
    int64_t shifted = day + 719468; /* since 1 March of the year 0 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int day_of_era = (int)(shifted - era * 146097);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int march_based = (5 * day_of_year + 2) / 153;
    *day_of_month = day_of_year - (153 * march_based + 2) / 5 + 1;
    *month = march_based < 10 ? march_based + 3 : march_based - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* By hand, as every tier change has one: the C library takes longer than for all other headers together. */
struct bytes encode_time(struct arena *arena, int64_t time_ms) {
    char text[sizeof "YYYY-MM-DDThh:mm:ss.mmmZ"];
    int64_t days = time_ms / MS_PER_DAY - (time_ms % MS_PER_DAY < 0);
    int ms = (int)(time_ms - days * MS_PER_DAY);
    int second = ms / (int)MS_PER_SECOND;
    int64_t year;
    int month, day;
    date_of(days, &year, &month, &day);
    if (year < 0 || year > 9999) { /* no four digits */
        return encode_printf(arena, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, second / 3600,
                             second / 60 % 60, second % 60, ms % (int)MS_PER_SECOND);
    }
    char *at = put_digits(text, (int)year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at++ = 'T';
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = '.';
    at = put_digits(at, ms % (int)MS_PER_SECOND, 3);
    *at++ = 'Z';
    return arena_copy(arena, bytes_of(text, (size_t)(at - text)));
}

static char *append(char *at, struct bytes bytes) {
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

struct buffer encode_id(const struct encoder *encoder, struct bytes kind, struct bytes customer, struct arena *arena) {
    size_t size_max = encoder->group.size + kind.size + customer.size + 3 + ENCODE_ID_TAIL_BYTES_MAX;
    char *id = arena_alloc(arena, size_max);
    if (!id) {
        return (struct buffer){0};
    }
    char *at = append(id, encoder->group);
    *at++ = '/';
    at = append(at, kind);
    *at++ = '/';
    at = append(at, customer);
    *at++ = '/';
    return (struct buffer){.data = id, .size = (size_t)(at - id), .capacity = size_max};
}

/* "<group>/<set>/<customer>/<sequence>", and behind it "/will-fall/<told>/<time>" for a notice. */
static struct bytes change_id(const struct encoder *encoder, struct bytes set, struct bytes customer,
                              const struct tier_change *change, struct arena *arena) {
    struct buffer id = encode_id(encoder, set, customer, arena);
    if (!id.data) {
        return (struct bytes){NULL, 0};
    }
    buffer_put_decimal(&id, change->sequence);
    if (change->direction == DIRECTION_WILL_FALL) {
        buffer_put_text(&id, "/will-fall/");
        buffer_put_decimal(&id, change->effective_ms);
        buffer_put_byte(&id, '/');
        buffer_put_decimal(&id, change->forecast_ms);
    }
    return buffer_bytes(&id);
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

int encode_cloud_event(const struct encoder *encoder, const struct cloud_event *event, struct arena *arena,
                       struct output *out) {
    const struct header headers[] = {
        {bytes_of_text("ce_specversion"), bytes_of_text("1.0")},
        {bytes_of_text("ce_type"), bytes_of_text(event->type)},
        {bytes_of_text("ce_source"), source_of(encoder, arena)},
        {bytes_of_text("ce_id"), event->id},
        {bytes_of_text("ce_time"), encode_time(arena, event->time_ms)},
        {bytes_of_text("ce_subject"), event->subject},
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
        .forms = encoder->forms,
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
    const struct cloud_event event = {
        .type =
            change->direction == DIRECTION_WILL_FALL ? "io.tidemark.tier_will_fall.v1" : "io.tidemark.tier_change.v1",
        .id = text.id,
        .subject = text.customer_id,
        .time_ms = change->effective_ms,
    };
    return err ? err : encode_cloud_event(encoder, &event, arena, out);
}
