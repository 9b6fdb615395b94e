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
/* For yyjson: memory of the arena. */
yyjson_alc encode_json_allocator(struct arena *arena);
/* True where the text is JSON as it stands, between quotes. */
bool encode_json_is_plain(struct bytes text);

#endif
