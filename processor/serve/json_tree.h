/* JSON in the making, for everything that HTTP answers.
 *
 * Numbers are written as in tier changes (publish/encode_json.c), so that a reader needs one parser: a metric or score is always
 * a real ("5.0"), and one without a value is null, never left out.
 *
 * Adding returns NULL or false without memory, and yyjson refuses to go on with NULL; so one check at the end, tree_finish, is
 * enough.
 *
 *     struct tree tree;
 *     yyjson_mut_val *root = tree_begin(&tree);
 *     tree_add(&tree, root, "customers", tree_integer(&tree, 12));
 *     int err = tree_finish(&tree, out); */
#ifndef TIDEMARK_SERVE_JSON_TREE_H
#define TIDEMARK_SERVE_JSON_TREE_H

#include "base/bytes.h"

#include <yyjson.h>

struct tree {
    yyjson_mut_doc *document;
    bool whole;
};

/* The root object. */
yyjson_mut_val *tree_begin(struct tree *tree);
/* Appends the text, without a newline, and frees the tree. ERR_NO_MEMORY; ERR_INVALID: a text is not UTF-8. */
int tree_finish(struct tree *tree, struct buffer *out) MUST_CHECK;

void tree_add(struct tree *tree, yyjson_mut_val *object, const char *name, yyjson_mut_val *value);
void tree_add_named(struct tree *tree, yyjson_mut_val *object, struct bytes name, yyjson_mut_val *value);

yyjson_mut_val *tree_object(const struct tree *tree);
yyjson_mut_val *tree_array(const struct tree *tree);
/* A new object at the array's end. */
yyjson_mut_val *tree_element(const struct tree *tree, yyjson_mut_val *array);
yyjson_mut_val *tree_null(const struct tree *tree);
yyjson_mut_val *tree_bool(const struct tree *tree, bool value);
yyjson_mut_val *tree_integer(const struct tree *tree, int64_t number);
yyjson_mut_val *tree_number(const struct tree *tree, double number);   /* null where it is none */
yyjson_mut_val *tree_text(const struct tree *tree, struct bytes text); /* borrowed; null where it is absent */
yyjson_mut_val *tree_time(const struct tree *tree, int64_t time_ms);   /* null where it has not been, or will not be */

#endif
