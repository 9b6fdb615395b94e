/* What encode_json.c (a tier change as a tree that yyjson writes) and encode_json_forms.c share. */
#ifndef TIDEMARK_PUBLISH_ENCODE_JSON_PARTS_H
#define TIDEMARK_PUBLISH_ENCODE_JSON_PARTS_H

#include "publish/encode_parts.h"

#include <yyjson.h>

/* Stands in a form where a value goes; no JSON has it, as texts have it escaped. */
#define ENCODE_JSON_BLANK '\x01'

/* The value, built in the arena; with blanks for what differs between changes of the same kind. */
int encode_json_whole(const struct tier_change_text *text, bool blanks, struct arena *arena,
                      struct bytes *out) MUST_CHECK;
/* The value, made of a form; false where it cannot be, but must be written as a whole. */
bool encode_json_filled(const struct tier_change_text *text, struct arena *arena, struct bytes *out) MUST_CHECK;
/* The adders return NULL or false without memory; yyjson refuses to go on with NULL, and writing a tree without a root fails,
 * so one check at the end is enough, kept in `whole`. */
struct tree {
    yyjson_mut_doc *document;
    bool blanks; /* instead of what differs between changes of the same kind */
    bool whole;
};
yyjson_mut_val *encode_json_text(const struct tree *tree, struct bytes text);
yyjson_mut_val *encode_json_integer(const struct tree *tree, int64_t number);
/* Adds a member whose name is not a literal. */
void encode_json_add(struct tree *tree, yyjson_mut_val *object, struct bytes name, yyjson_mut_val *value);
/* An object of all values by their names. */
yyjson_mut_val *encode_json_values(struct tree *tree, const struct named_value *values, size_t count);

/* Builds a tree and writes it, in the arena; `build` gives it a root. */
typedef void (*encode_json_build_fn)(struct tree *tree, const void *context);
int encode_json_built(encode_json_build_fn build, const void *context, bool blanks, struct arena *arena,
                      struct bytes *out) MUST_CHECK;

/* True where the text is JSON as it stands, between quotes. */
bool encode_json_is_plain(struct bytes text);

#endif
