#include "ingest/decode_raw.h"

#include <math.h>
#include <stdlib.h>
#include <yyjson.h>

enum { NUMBER_TEXT_BYTES_MAX = 32 }; /* "-9223372036854775808", and some leading zeros */

/* 2^63: the first double that is no int64 any more. */
#define INT64_LIMIT 9223372036854775808.0

static enum dead_reason mistyped(char *detail, const struct field_spec *spec, const char *wanted) {
    return dead_detail(detail, DEAD_UNDECODABLE, "%s is not %s", spec->name, wanted);
}

/* Protobuf's JSON may write 64-bit integers as strings. */
static bool number_of_text(const char *text, size_t size, int64_t *out) {
    bool negative = size > 0 && text[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == size || size > NUMBER_TEXT_BYTES_MAX) {
        return false;
    }
    int64_t value = 0;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        int digit = negative ? '0' - text[i] : text[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value)) {
            value = negative ? INT64_MIN : INT64_MAX;
        }
    }
    *out = value;
    return true;
}

/* Whole numbers only, but however written: 12, 12.0, 1.2e1, "12". */
static bool number_of(yyjson_val *value, int64_t *out) {
    switch (yyjson_get_tag(value)) {
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_SINT:
        *out = yyjson_get_sint(value);
        return true;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_UINT: {
        uint64_t number = yyjson_get_uint(value);
        *out = number > INT64_MAX ? INT64_MAX : (int64_t)number;
        return true;
    }
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL: {
        double number = yyjson_get_real(value);
        if (!(floor(number) >= number)) {
            return false;
        }
        *out = number >= INT64_LIMIT ? INT64_MAX : number <= -INT64_LIMIT ? INT64_MIN : (int64_t)number;
        return true;
    }
    default:
        return yyjson_is_str(value) && number_of_text(yyjson_get_str(value), yyjson_get_len(value), out);
    }
}

static bool enum_of(yyjson_val *value, const struct field_spec *spec, int64_t *out) {
    if (!yyjson_is_str(value)) {
        return yyjson_is_num(value) && number_of(value, out);
    }
    struct bytes name = bytes_of(yyjson_get_str(value), yyjson_get_len(value));
    *out = RAW_ENUM_UNKNOWN;
    for (size_t i = 0; i < spec->enum_names_count; i++) {
        if (bytes_equal_text(name, spec->enum_names[i])) {
            *out = (int64_t)i;
        }
    }
    return true;
}

/* Keys mostly come in the schema's order, so the search starts behind the last one found. */
static const struct field_spec *find_field(const struct field_table *table, yyjson_val *key, size_t *next) {
    struct bytes name = bytes_of(yyjson_get_str(key), yyjson_get_len(key));
    for (size_t i = 0; i < table->count; i++) {
        size_t at = *next + i < table->count ? *next + i : *next + i - table->count;
        const struct field_spec *spec = &table->fields[at];
        if (bytes_equal(name, bytes_of(spec->name, spec->name_size)) ||
            bytes_equal(name, bytes_of(spec->camel_name, spec->camel_name_size))) {
            *next = at + 1 < table->count ? at + 1 : 0;
            return spec;
        }
    }
    return NULL;
}

static enum dead_reason read_value(yyjson_val *value, const struct field_spec *spec, union raw_value *values,
                                   char *detail) {
    switch ((enum field_type)spec->type) {
    case FIELD_TEXT:
        values[spec->field].text = bytes_of(yyjson_get_str(value), yyjson_get_len(value));
        return yyjson_is_str(value) ? DEAD_NOT : mistyped(detail, spec, "a string");
    case FIELD_IGNORED_TEXT:
        return yyjson_is_str(value) ? DEAD_NOT : mistyped(detail, spec, "a string");
    case FIELD_INT64:
    case FIELD_INT32:
        return number_of(value, &values[spec->field].number) ? DEAD_NOT : mistyped(detail, spec, "an integer");
    case FIELD_ENUM:
        return enum_of(value, spec, &values[spec->field].number) ? DEAD_NOT
                                                                 : mistyped(detail, spec, "a name or a number");
    case FIELD_ITEMS:
        return yyjson_is_arr(value) ? DEAD_NOT : mistyped(detail, spec, "an array");
    }
    ASSERT(false); /* no other type */
}

/* *items is the array of items, if the object has one. */
static enum dead_reason read_object(yyjson_val *object, const struct field_table *table, union raw_value *values,
                                    uint32_t *seen, yyjson_val **items, char *detail) {
    uint32_t taken = 0; /* by position in the table: also null and ignored fields count as given */
    size_t next = 0;
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    for (yyjson_val *key = yyjson_obj_iter_next(&iterator); key; key = yyjson_obj_iter_next(&iterator)) {
        const struct field_spec *spec = find_field(table, key, &next);
        if (!spec) {
            continue;
        }
        uint32_t bit = UINT32_C(1) << (spec - table->fields);
        if (taken & bit) {
            return dead_detail(detail, DEAD_UNDECODABLE, "%s is given twice", spec->name);
        }
        taken |= bit;
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        if (yyjson_is_null(value)) {
            continue;
        }
        enum dead_reason reason = read_value(value, spec, values, detail);
        if (reason) {
            return reason;
        }
        if (spec->type == FIELD_ITEMS) {
            *items = value;
        } else if (spec->type != FIELD_IGNORED_TEXT) {
            *seen |= UINT32_C(1) << spec->field;
        }
    }
    return DEAD_NOT;
}

static enum dead_reason read_items(yyjson_val *array, struct raw_activity *raw, char *detail) {
    size_t count = 0;
    yyjson_arr_iter iterator = yyjson_arr_iter_with(array);
    for (yyjson_val *item = yyjson_arr_iter_next(&iterator); item; item = yyjson_arr_iter_next(&iterator)) {
        union raw_value values[RAW_ITEM_FIELDS];
        uint32_t seen = 0;
        if (!yyjson_is_obj(item)) {
            return dead_detail(detail, DEAD_UNDECODABLE, "an item is not an object");
        }
        enum dead_reason reason = read_object(item, &item_fields, values, &seen, NULL, detail);
        if (reason) {
            return reason;
        }
        raw->items[count++] = raw_item(values, seen);
    }
    return DEAD_NOT;
}

static yyjson_doc *parse(struct json_document *json, struct bytes value, yyjson_read_err *error) {
    size_t needed = yyjson_read_max_memory_usage(value.size, YYJSON_READ_NOFLAG);
    void *memory = json->scratch;
    if (needed > sizeof json->scratch) {
        json->large = malloc(needed);
        memory = json->large;
    }
    yyjson_alc allocator;
    if (!memory || !yyjson_alc_pool_init(&allocator, memory, json->large ? needed : sizeof json->scratch)) {
        error->code = YYJSON_READ_ERROR_MEMORY_ALLOCATION;
        error->msg = "no memory";
        return NULL;
    }
    /* Not read in place, so the cast takes nothing away: the bytes are only read. */
    union {
        const char *read_only;
        char *any;
    } text = {value.data};
    return yyjson_read_opts(text.any, value.size, YYJSON_READ_NOFLAG, &allocator, error);
}

enum dead_reason json_open(struct json_document *json, struct bytes value, char *detail) {
    yyjson_read_err error = {0};
    json->document = NULL;
    json->large = NULL;
    if (value.size == 0) {
        return dead_detail(detail, DEAD_UNDECODABLE, "the value is empty");
    }
    /* The document's memory is the scratch or `large`, so there is nothing to free in it. */
    json->document = parse(json, value, &error);
    if (!json->document) {
        return dead_detail(detail, DEAD_UNDECODABLE, "not JSON: %s at byte %zu", error.msg, error.pos);
    }
    return yyjson_is_obj(yyjson_doc_get_root(json->document))
               ? DEAD_NOT
               : dead_detail(detail, DEAD_UNDECODABLE, "the JSON is not an object");
}

enum dead_reason json_read(const struct json_document *json, struct raw_activity *raw, struct arena *arena,
                           char *detail) {
    yyjson_val *items = NULL;
    enum dead_reason reason = read_object(yyjson_doc_get_root(json->document), &activity_fields[raw->type], raw->values,
                                          &raw->seen, &items, detail);
    if (reason || !items) {
        return reason;
    }
    reason = raw_reserve_items(raw, yyjson_arr_size(items), arena, detail);
    return reason || !raw->items ? reason : read_items(items, raw, detail);
}

struct bytes json_text(const struct json_document *json, const char *name) {
    yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(json->document), name);
    return bytes_of(yyjson_get_str(value), yyjson_get_len(value));
}

void json_close(struct json_document *json) {
    free(json->large);
    json->large = NULL;
    json->document = NULL;
}
