#include "serve/json_tree.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

yyjson_mut_val *tree_begin(struct tree *tree) {
    *tree = (struct tree){.document = yyjson_mut_doc_new(NULL), .whole = true};
    yyjson_mut_val *root = yyjson_mut_obj(tree->document);
    if (tree->document) {
        yyjson_mut_doc_set_root(tree->document, root);
    }
    return root;
}

static int write(const struct tree *tree, struct buffer *out) {
    if (!tree->document || !tree->whole) {
        return ERR_NO_MEMORY;
    }
    yyjson_write_err error = {0};
    size_t size = 0;
    char *text = yyjson_mut_write_opts(tree->document, YYJSON_WRITE_NOFLAG, NULL, &size, &error);
    if (!text) {
        return error.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? ERR_NO_MEMORY : ERR_INVALID;
    }
    buffer_put(out, text, size);
    free(text);
    return out->error;
}

int tree_finish(struct tree *tree, struct buffer *out) {
    int err = write(tree, out);
    yyjson_mut_doc_free(tree->document);
    tree->document = NULL;
    return err;
}

void tree_add_named(struct tree *tree, yyjson_mut_val *object, struct bytes name, yyjson_mut_val *value) {
    tree->whole =
        yyjson_mut_obj_add(object, yyjson_mut_strn(tree->document, name.data, name.size), value) && tree->whole;
}

void tree_add(struct tree *tree, yyjson_mut_val *object, const char *name, yyjson_mut_val *value) {
    tree_add_named(tree, object, bytes_of_text(name), value);
}

yyjson_mut_val *tree_object(const struct tree *tree) {
    return yyjson_mut_obj(tree->document);
}

yyjson_mut_val *tree_array(const struct tree *tree) {
    return yyjson_mut_arr(tree->document);
}

yyjson_mut_val *tree_element(const struct tree *tree, yyjson_mut_val *array) {
    return yyjson_mut_arr_add_obj(tree->document, array);
}

yyjson_mut_val *tree_null(const struct tree *tree) {
    return yyjson_mut_null(tree->document);
}

yyjson_mut_val *tree_bool(const struct tree *tree, bool value) {
    return yyjson_mut_bool(tree->document, value);
}

yyjson_mut_val *tree_integer(const struct tree *tree, int64_t number) {
    return yyjson_mut_sint(tree->document, number);
}

yyjson_mut_val *tree_number(const struct tree *tree, double number) {
    return isfinite(number) ? yyjson_mut_real(tree->document, number) : tree_null(tree);
}

yyjson_mut_val *tree_text(const struct tree *tree, struct bytes text) {
    return text.data ? yyjson_mut_strn(tree->document, text.data, text.size) : tree_null(tree);
}

yyjson_mut_val *tree_time(const struct tree *tree, int64_t time_ms) {
    return time_ms == TIME_NONE || time_ms == TIME_NEVER ? tree_null(tree) : tree_integer(tree, time_ms);
}
