#include "publish/encode_json_parts.h"

#include <math.h>
#include <stdlib.h>
#include <yyjson.h>

/* Forms: the JSON of a kind of tier change, with blanks.
 *
 *     {"id":_,"customer_id":_,"tier_set":"value","from":"ordinary","to":"vip","direction":"UP","sequence":_,...
 *
 * Changes of the same set, tiers, cause and conditions differ in three texts of the customer's and in numbers. So yyjson
 * writes the tree of such a kind once, and then only the numbers, all of one change in one array; the rest is copying. */

enum {
    FORMS = 128, /* a set of four tiers has some dozens of kinds; one that finds another in its place replaces it */
    FORM_BYTES_MAX = 8192, /* of its text, and of what makes it: longer ones are not kept, which bounds the whole */
    BLANKS_MAX = 96,
    OWN_TEXTS = 3,
    BLANK_ID = 0, /* where they stand among the blanks */
    BLANK_CUSTOMER = 1,
    BLANK_EVENT = 4,
    NUMBERS_SCRATCH_BYTES = 12 * 1024, /* enough for BLANKS_MAX numbers, in yyjson's tree and as text */
};

struct form {
    struct buffer key;
    struct buffer text;
    size_t blanks;
    uint16_t blank_at[BLANKS_MAX]; /* in the text */
};

struct encoder_forms {
    struct buffer key; /* of the change in hand */
    struct form forms[FORMS];
};

struct encoder_forms *encoder_forms_create(void) {
    return calloc(1, sizeof(struct encoder_forms));
}

void encoder_forms_destroy(struct encoder_forms *forms) {
    for (size_t i = 0; forms && i < FORMS; i++) {
        buffer_finish(&forms->forms[i].key);
        buffer_finish(&forms->forms[i].text);
    }
    if (forms) {
        buffer_finish(&forms->key);
    }
    free(forms);
}

/* All that the form's text is made of. */
static void put_key(const struct tier_change_text *text, struct buffer *key) {
    const struct tier_change *change = text->change;
    buffer_reset(key);
    buffer_put(key, &text->model, sizeof text->model); /* its treatments, too */
    buffer_put_sized(key, model_version(text->model));
    buffer_put_varint(key, change->set);
    buffer_put_signed(key, change->to_tier);
    buffer_put_byte(key, (uint8_t)change->direction);
    buffer_put_byte(key, (uint8_t)change->cause);
    buffer_put_byte(
        key, (uint8_t)((change->from.data ? 1 : 0) | (change->to.data ? 2 : 0) | (change->forecast_tier.data ? 4 : 0)));
    buffer_put_sized(key, change->from);
    buffer_put_sized(key, change->to);
    buffer_put_sized(key, change->forecast_tier);
    buffer_put_varint(key, change->conditions_count);
    for (size_t i = 0; i < change->conditions_count; i++) {
        buffer_put_byte(key, change->conditions[i].met);
        buffer_put_sized(key, change->conditions[i].rule);
    }
    for (size_t i = 0; i < change->metrics_count; i++) {
        buffer_put_sized(key, change->metrics[i].name);
    }
}

/* Has yyjson write the form; false if it is not one to be kept. */
static bool make(struct form *form, struct bytes key, const struct tier_change_text *text, struct arena *arena) {
    struct bytes json;
    buffer_reset(&form->key); /* whatever it was, it is not that any more */
    buffer_reset(&form->text);
    form->blanks = 0;
    if (encode_json_whole(text, true, arena, &json) || json.size > FORM_BYTES_MAX) {
        return false;
    }
    const char *end = json.data + json.size;
    for (const char *at = json.data; (at = memchr(at, ENCODE_JSON_BLANK, (size_t)(end - at))) != NULL; at++) {
        if (form->blanks == BLANKS_MAX) {
            return false;
        }
        form->blank_at[form->blanks++] = (uint16_t)(at - json.data);
    }
    buffer_put_bytes(&form->text, json);
    buffer_put_bytes(&form->key, key);
    return !form->key.error && !form->text.error;
}

static const struct form *form_of(const struct tier_change_text *text, struct arena *arena) {
    struct buffer *buffer = &text->forms->key;
    put_key(text, buffer);
    struct bytes key = buffer_bytes(buffer);
    if (buffer->error || key.size > FORM_BYTES_MAX) {
        return NULL;
    }
    struct form *form = &text->forms->forms[bytes_hash(key) % FORMS];
    bool known = bytes_equal(buffer_bytes(&form->key), key);
    return known || make(form, key, text, arena) ? form : NULL;
}

static bool add_real(yyjson_mut_doc *document, yyjson_mut_val *array, double number) {
    return isfinite(number) ? yyjson_mut_arr_add_real(document, array, number)
                            : yyjson_mut_arr_add_null(document, array);
}

/* The change's numbers in the order of the blanks, as yyjson writes an array of them; data NULL without memory. */
static struct bytes numbers_of(const struct tier_change *change, size_t count, const yyjson_alc *allocator) {
    struct bytes json = {NULL, 0};
    yyjson_mut_doc *document = yyjson_mut_doc_new(allocator);
    if (!document || !yyjson_mut_doc_set_val_pool_size(document, count + 1)) {
        return json;
    }
    yyjson_mut_val *array = yyjson_mut_arr(document);
    yyjson_mut_doc_set_root(document, array);
    bool whole = yyjson_mut_arr_add_sint(document, array, change->sequence);
    whole &= yyjson_mut_arr_add_sint(document, array, change->effective_ms);
    for (size_t i = 0; i < change->conditions_count; i++) {
        whole &= add_real(document, array, change->conditions[i].value);
        whole &= add_real(document, array, change->conditions[i].threshold);
    }
    for (size_t i = 0; i < change->metrics_count; i++) {
        whole &= add_real(document, array, change->metrics[i].value);
    }
    if (change->forecast_tier.data) {
        whole &= yyjson_mut_arr_add_sint(document, array, change->forecast_ms);
    }
    whole &= yyjson_mut_arr_add_sint(document, array, (int64_t)change->cuts_version);
    ASSERT(!whole || yyjson_mut_arr_size(array) == count);
    if (whole) {
        json.data = yyjson_mut_write_opts(document, YYJSON_WRITE_NOFLAG, allocator, &json.size, NULL);
    }
    return json;
}

static char *put(char *at, struct bytes bytes) {
    memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static char *put_text(char *at, struct bytes text) {
    if (!text.data) {
        return put(at, bytes_of("null", 4));
    }
    *at++ = '"';
    at = put(at, text);
    *at++ = '"';
    return at;
}

/* Fills the blanks: the customer's texts, and the numbers in their order. */
static bool fill(const struct form *form, const struct tier_change_text *text, struct bytes numbers,
                 struct arena *arena, struct bytes *out) {
    const struct bytes own[] = {
        [BLANK_ID] = text->id, [BLANK_CUSTOMER] = text->customer_id, [BLANK_EVENT] = text->change->cause_event_id};
    size_t room = form->text.size + numbers.size + OWN_TEXTS * sizeof "\"\"null" + text->id.size +
                  text->customer_id.size + text->change->cause_event_id.size;
    char *json = arena_alloc(arena, room);
    if (!json) {
        return false;
    }
    const char *number = numbers.data + 1; /* behind the bracket */
    size_t from = 0;
    char *at = json;
    for (size_t i = 0; i < form->blanks; i++) {
        at = put(at, bytes_of(form->text.data + from, form->blank_at[i] - from));
        from = form->blank_at[i] + (size_t)1;
        if (i == BLANK_ID || i == BLANK_CUSTOMER || i == BLANK_EVENT) {
            at = put_text(at, own[i]);
            continue;
        }
        while (*number != ',' && *number != ']') {
            *at++ = *number++;
        }
        number++;
    }
    at = put(at, bytes_of(form->text.data + from, form->text.size - from));
    ASSERT(number == numbers.data + numbers.size && (size_t)(at - json) <= room);
    *out = bytes_of(json, (size_t)(at - json));
    return true;
}

bool encode_json_filled(const struct tier_change_text *text, struct arena *arena, struct bytes *out) {
    /* The customer's id is part of the change's. */
    if (!encode_json_is_plain(text->id) || !encode_json_is_plain(text->change->cause_event_id)) {
        return false;
    }
    const struct form *form = form_of(text, arena);
    if (!form) {
        return false;
    }
    _Alignas(16) char scratch[NUMBERS_SCRATCH_BYTES];
    yyjson_alc pool;
    ASSERT(yyjson_alc_pool_init(&pool, scratch, sizeof scratch));
    struct bytes numbers = numbers_of(text->change, form->blanks - OWN_TEXTS, &pool);
    return numbers.data && fill(form, text, numbers, arena, out);
}
