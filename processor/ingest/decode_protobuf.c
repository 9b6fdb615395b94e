#include "ingest/decode_raw.h"

/* Why by hand, when protobuf-c is at hand: its strings are C strings, so it silently cuts an id at
 * a NUL; it allocates every string and every unknown field; and its unpacking alone takes as long
 * as all of decode_record with this reader, which copies nothing (tests/bench/bench_decode.c).
 * tests/fuzz/fuzz_decode.c compares it with protobuf-c on every input. */

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_SIZED = 2, WIRE_FIXED32 = 5 };

enum { TAG_BYTES_MAX = 5, LENGTH_BYTES_MAX = 5 };

/* Where the reader is in one message. */
struct wire {
    const unsigned char *at;
    const unsigned char *end;
};

/* What a message held besides its values. */
struct items_found {
    const unsigned char *first; /* tag of the first item */
    size_t count;
};

static struct wire wire_of(struct bytes bytes) {
    const unsigned char *data = (const unsigned char *)bytes.data;
    return (struct wire){data, data + bytes.size};
}

/* Where the reader is then; NULL if the number has no end in the message or in bytes_max. */
static const unsigned char *long_varint(const unsigned char *at, const unsigned char *end, size_t bytes_max,
                                        uint64_t *out) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes_max && at < end; i++) {
        unsigned char byte = *at++;
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return at;
        }
    }
    return NULL;
}

/* Tags, lengths and enums mostly have one byte. */
static inline bool read_varint(struct wire *wire, size_t bytes_max, uint64_t *out) {
    if (wire->at < wire->end && *wire->at < 0x80) {
        *out = *wire->at++;
        return true;
    }
    const unsigned char *at = long_varint(wire->at, wire->end, bytes_max, out);
    wire->at = at ? at : wire->at;
    return at != NULL;
}

static inline bool read_sized(struct wire *wire, struct bytes *out) {
    uint64_t size;
    if (!read_varint(wire, LENGTH_BYTES_MAX, &size) || size > (uint64_t)(wire->end - wire->at)) {
        return false;
    }
    *out = bytes_of((const char *)wire->at, (size_t)size);
    wire->at += size;
    return true;
}

static inline bool read_skip(struct wire *wire, size_t size) {
    if ((size_t)(wire->end - wire->at) < size) {
        return false;
    }
    wire->at += size;
    return true;
}

static enum dead_reason broken(char *detail) {
    return dead_detail(detail, DEAD_UNDECODABLE, "the protobuf message ends within a field");
}

static enum dead_reason mistyped(char *detail, const struct field_spec *spec) {
    return dead_detail(detail, DEAD_UNDECODABLE, "%s has another type than in the schema", spec->name);
}

static inline enum dead_reason read_text(struct wire *wire, const struct field_spec *spec, union raw_value *values,
                                         uint32_t *seen, char *detail) {
    struct bytes text;
    if (!read_sized(wire, &text)) {
        return broken(detail);
    }
    if (!spec || spec->type == FIELD_ITEMS || spec->type == FIELD_IGNORED_TEXT) {
        return DEAD_NOT;
    }
    if (spec->type != FIELD_TEXT) {
        return mistyped(detail, spec);
    }
    values[spec->field].text = text;
    *seen |= UINT32_C(1) << spec->field;
    return DEAD_NOT;
}

static inline enum dead_reason read_number(struct wire *wire, const struct field_spec *spec, union raw_value *values,
                                           uint32_t *seen, char *detail) {
    uint64_t number;
    if (!read_varint(wire, VARINT_BYTES_MAX, &number)) {
        return broken(detail);
    }
    if (!spec) {
        return DEAD_NOT;
    }
    if (spec->type == FIELD_INT64) {
        values[spec->field].number = (int64_t)number;
    } else if (spec->type == FIELD_INT32 || spec->type == FIELD_ENUM) {
        values[spec->field].number = (int32_t)(uint32_t)number; /* as every protobuf reader does */
    } else {
        return mistyped(detail, spec);
    }
    *seen |= UINT32_C(1) << spec->field;
    return DEAD_NOT;
}

/* The wire type says how far a field reaches, known or not; a known field must have its own. */
static inline enum dead_reason read_field(struct wire *wire, unsigned type, const struct field_spec *spec,
                                          union raw_value *values, uint32_t *seen, char *detail) {
    if (type == WIRE_SIZED) {
        return read_text(wire, spec, values, seen, detail);
    }
    if (type == WIRE_VARINT) {
        return read_number(wire, spec, values, seen, detail);
    }
    if (type != WIRE_FIXED64 && type != WIRE_FIXED32) {
        return dead_detail(detail, DEAD_UNDECODABLE, "not a protobuf message: wire type %u", type);
    }
    if (!read_skip(wire, type == WIRE_FIXED64 ? 8 : 4)) {
        return broken(detail);
    }
    return spec ? mistyped(detail, spec) : DEAD_NOT;
}

static enum dead_reason read_message(struct bytes message, const struct field_table *table, union raw_value *values,
                                     uint32_t *seen, struct items_found *items, char *detail) {
    struct wire wire = wire_of(message);
    while (wire.at < wire.end) {
        const unsigned char *start = wire.at;
        uint64_t tag;
        if (!read_varint(&wire, TAG_BYTES_MAX, &tag)) {
            return broken(detail);
        }
        uint64_t number = tag >> 3;
        if (number == 0 || tag > UINT32_MAX) {
            return dead_detail(detail, DEAD_UNDECODABLE, "not a protobuf message: impossible field number");
        }
        const struct field_spec *spec = number <= table->count ? &table->fields[number - 1] : NULL;
        enum dead_reason reason = read_field(&wire, tag & 7, spec, values, seen, detail);
        if (reason) {
            return reason;
        }
        if (spec && spec->type == FIELD_ITEMS) {
            items->first = items->count++ ? items->first : start;
        }
    }
    return DEAD_NOT;
}

/* A second walk, over what is known to be whole, from the first item on. */
static enum dead_reason read_items(struct bytes value, const struct items_found *found, struct raw_activity *raw,
                                   char *detail) {
    struct wire wire = wire_of(value);
    wire.at = found->first;
    for (size_t i = 0; i < raw->items_count;) {
        uint64_t tag = 0;
        uint64_t number;
        struct bytes message = {0};
        bool whole = read_varint(&wire, TAG_BYTES_MAX, &tag);
        unsigned type = tag & 7;
        whole = whole && (type == WIRE_VARINT  ? read_varint(&wire, VARINT_BYTES_MAX, &number)
                          : type == WIRE_SIZED ? read_sized(&wire, &message)
                                               : read_skip(&wire, type == WIRE_FIXED64 ? 8 : 4));
        ASSERT(whole);
        if (tag >> 3 > activity_fields[raw->type].count ||
            activity_fields[raw->type].fields[(tag >> 3) - 1].type != FIELD_ITEMS) {
            continue;
        }
        union raw_value values[RAW_ITEM_FIELDS];
        uint32_t seen = 0;
        enum dead_reason reason = read_message(message, &item_fields, values, &seen, NULL, detail);
        if (reason) {
            return reason;
        }
        raw->items[i++] = raw_item(values, seen);
    }
    return DEAD_NOT;
}

enum dead_reason decode_protobuf(struct bytes value, struct raw_activity *raw, struct arena *arena, char *detail) {
    struct items_found found = {0};
    enum dead_reason reason = read_message(value, &activity_fields[raw->type], raw->values, &raw->seen, &found, detail);
    if (reason || found.count == 0) {
        return reason;
    }
    reason = raw_reserve_items(raw, found.count, arena, detail);
    return reason || !raw->items ? reason : read_items(value, &found, raw, detail);
}
