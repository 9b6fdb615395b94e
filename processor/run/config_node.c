#include "run/config_node.h"

#include "score/rules_lexer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

enum {
    SECRET_BYTES_MAX = 65536,
    DEPTH_MAX = 32,
    NODES_MAX = 100000, /* an alias stands for all that it names, so a few lines could stand for any number */
    NO_LINES = -1,
};

const struct config_file *config_file_of(const struct config_problems *problems, int *line) {
    const struct config_file *file = NULL;
    for (size_t i = 0; *line > 0 && i<problems->files_count && * line> problems->files[i].lines_before; i++) {
        file = &problems->files[i];
    }
    *line -= file ? file->lines_before : 0;
    return file;
}

void config_problem(struct config_problems *problems, int line, int column, const char *format, ...) {
    if (problems->count == CONFIG_PROBLEMS_MAX) {
        return;
    }
    struct config_problem *problem = &problems->items[problems->count++];
    const struct config_file *file = config_file_of(problems, &line);
    snprintf(problem->file, sizeof problem->file, "%s", file && file != problems->files ? file->path : "");
    problem->line = line;
    problem->column = column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->message, sizeof problem->message, format, arguments);
    va_end(arguments);
}

void config_unknown_key(struct config_problems *problems, const struct node *node, const char *where,
                        const char *const *known, size_t known_count) {
    struct nearest nearest;
    nearest_init(&nearest, node->key);
    for (size_t i = 0; i < known_count; i++) {
        nearest_offer(&nearest, bytes_of_text(known[i]));
    }
    char hint[120] = "";
    if (nearest.best.data) {
        snprintf(hint, sizeof hint, "; did you mean '%.*s'?", (int)nearest.best.size, nearest.best.data);
    }
    config_problem(problems, node->key_line, node->key_column, "unknown key '%.*s'%s%s%s", (int)node->key.size,
                   node->key.data, where[0] ? " in " : "", where, hint);
}

bool config_is_map(struct config_problems *problems, const struct node *node, const char *where, const char *example) {
    if (node->kind != NODE_MAP) {
        config_problem(problems, node->line, node->column, "%s: expected a map like %s", where, example);
        return false;
    }
    return true;
}

const struct node *config_optional_map(struct config_problems *problems, const struct node *node, const char *where,
                                       const char *example) {
    bool empty = !node || (node->kind == NODE_SCALAR && node->text.size == 0);
    return !empty && config_is_map(problems, node, where, example) ? node : NULL;
}

struct node *node_child(const struct node *map, const char *key) {
    for (struct node *child = map->children; child; child = child->next) {
        if (bytes_equal_text(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

size_t node_count(const struct node *node) {
    size_t count = 0;
    for (const struct node *child = node->children; child; child = child->next) {
        count++;
    }
    return count;
}

struct spec_text node_key(const struct node *node) {
    return (struct spec_text){node->key, node->key_line, node->key_column};
}

/* ---- ${NAME} and ${file:PATH} ---- */

/* The file's contents without the line end that editors add. */
static bool put_file(const char *path, struct buffer *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *room = fd >= 0 ? buffer_reserve(out, SECRET_BYTES_MAX + 1) : NULL;
    ssize_t size = room ? read(fd, room, SECRET_BYTES_MAX + 1) : -1;
    if (size > SECRET_BYTES_MAX) {
        errno = EFBIG; /* some other file: half a secret is none */
        size = -1;
    }
    int reason = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = reason;
    if (size < 0) {
        return false;
    }
    while (size > 0 && (room[size - 1] == '\n' || room[size - 1] == '\r')) {
        size--;
    }
    out->size += (size_t)size;
    return true;
}

static void expand_one(struct bytes name, struct buffer *out, const struct node *node,
                       struct config_problems *problems) {
    char text[4096];
    snprintf(text, sizeof text, "%.*s", (int)name.size, name.data);
    if (strncmp(text, "file:", 5) == 0) {
        if (!put_file(text + 5, out)) {
            config_problem(problems, node->line, node->column, "cannot read the file '%s': %s", text + 5,
                           strerror(errno));
        }
        return;
    }
    const char *value = getenv(text);
    if (!value) {
        config_problem(problems, node->line, node->column, "the environment variable '%s' is not set", text);
        return;
    }
    buffer_put_text(out, value);
}

static void expand(struct arena *arena, struct node *node, struct config_problems *problems) {
    if (!memmem(node->text.data, node->text.size, "${", 2)) {
        return;
    }
    struct buffer out = {0};
    const char *at = node->text.data;
    const char *end = at + node->text.size;
    while (at < end) {
        const char *open = memmem(at, (size_t)(end - at), "${", 2);
        const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;
        if (!close) {
            break;
        }
        buffer_put(&out, at, (size_t)(open - at));
        expand_one(bytes_of(open + 2, (size_t)(close - open - 2)), &out, node, problems);
        at = close + 1;
    }
    buffer_put(&out, at, (size_t)(end - at));
    node->text = arena_copy(arena, buffer_bytes(&out));
    buffer_finish(&out);
}

/* ---- YAML ---- */

struct reading {
    struct arena *arena;
    yaml_document_t document;
    int lines_before; /* NO_LINES: an override's */
    struct config_problems *problems;
    size_t nodes;
};

static int line_of(const struct reading *reading, yaml_mark_t mark) {
    return reading->lines_before == NO_LINES ? 0 : reading->lines_before + (int)mark.line + 1;
}

static int column_of(const struct reading *reading, yaml_mark_t mark) {
    return reading->lines_before == NO_LINES ? 0 : (int)mark.column + 1;
}

static struct node *new_node(struct arena *arena, enum node_kind kind) {
    struct node *node = arena_alloc_zero(arena, sizeof *node);
    ASSERT(node); /* the arena's cap is far above any file that read_yaml accepts */
    node->kind = kind;
    node->text = bytes_of("", 0);
    return node;
}

static struct node *convert(struct reading *reading, int index, int depth);

static void convert_pairs(struct reading *reading, const yaml_node_t *from, struct node *map, int depth) {
    struct node **link = &map->children;
    for (const yaml_node_pair_t *pair = from->data.mapping.pairs.start;
         pair < from->data.mapping.pairs.top && reading->nodes <= NODES_MAX; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&reading->document, pair->key);
        struct node *child = convert(reading, pair->value, depth + 1);
        int line = line_of(reading, key->start_mark);
        int column = column_of(reading, key->start_mark);
        if (key->type != YAML_SCALAR_NODE) {
            config_problem(reading->problems, line, column, "a key must be plain text");
            continue;
        }
        child->key =
            arena_copy(reading->arena, bytes_of((const char *)key->data.scalar.value, key->data.scalar.length));
        child->key_line = line;
        child->key_column = column;
        if (node_child(map, child->key.data)) {
            config_problem(reading->problems, line, column, "the key '%s' stands twice", child->key.data);
            continue;
        }
        *link = child;
        link = &child->next;
    }
}

static struct node *convert(struct reading *reading, int index, int depth) {
    const yaml_node_t *from = yaml_document_get_node(&reading->document, index);
    struct node *node = new_node(reading->arena, NODE_SCALAR);
    node->line = line_of(reading, from->start_mark);
    node->column = column_of(reading, from->start_mark);
    if (++reading->nodes > NODES_MAX) {
        config_problem(reading->problems, node->line, node->column, "more than %d values, those of aliases included",
                       NODES_MAX);
        return node;
    }
    if (depth > DEPTH_MAX) {
        config_problem(reading->problems, node->line, node->column, "nested too deeply");
        return node;
    }
    if (from->type == YAML_MAPPING_NODE) {
        node->kind = NODE_MAP;
        convert_pairs(reading, from, node, depth);
    } else if (from->type == YAML_SEQUENCE_NODE) {
        struct node **link = &node->children;
        node->kind = NODE_LIST;
        for (const int *item = from->data.sequence.items.start;
             item < from->data.sequence.items.top && reading->nodes <= NODES_MAX; item++) {
            *link = convert(reading, *item, depth + 1);
            link = &(*link)->next;
        }
    } else {
        bool quoted = from->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                      from->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        if (quoted && reading->lines_before != NO_LINES) {
            node->column++; /* the text begins behind its quote: rule errors point into it */
        }
        node->text =
            arena_copy(reading->arena, bytes_of((const char *)from->data.scalar.value, from->data.scalar.length));
        expand(reading->arena, node, reading->problems);
    }
    return node;
}

static struct node *read_document(struct arena *arena, struct bytes text, int lines_before,
                                  struct config_problems *problems) {
    struct reading reading = {.arena = arena, .lines_before = lines_before, .problems = problems};
    yaml_parser_t parser;
    struct node *root = NULL;
    ASSERT(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size);
    if (!yaml_parser_load(&parser, &reading.document)) {
        config_problem(problems, line_of(&reading, parser.problem_mark), column_of(&reading, parser.problem_mark),
                       "not YAML: %s%s%s", parser.problem ? parser.problem : "unreadable", parser.context ? ", " : "",
                       parser.context ? parser.context : "");
    } else {
        yaml_node_t *top = yaml_document_get_root_node(&reading.document);
        root = top ? convert(&reading, 1, 0) : new_node(arena, NODE_MAP);
        yaml_document_delete(&reading.document);
    }
    yaml_parser_delete(&parser);
    return root;
}

struct node *config_read_yaml(struct arena *arena, struct bytes text, int lines_before,
                              struct config_problems *problems) {
    struct node *root = read_document(arena, text, lines_before, problems);
    if (root && root->kind != NODE_MAP) {
        config_problem(problems, root->line, root->column, "expected options like 'group: tidemark' at the top");
        return NULL;
    }
    return root;
}

/* ---- overrides ---- */

static struct node *child_made(struct arena *arena, struct node *map, struct bytes key) {
    struct node **link = &map->children;
    while (*link && !bytes_equal((*link)->key, key)) {
        link = &(*link)->next;
    }
    if (!*link) {
        *link = new_node(arena, NODE_MAP);
        (*link)->key = arena_copy(arena, key);
    }
    return *link;
}

void config_override(struct arena *arena, struct node *root, const char *assignment, struct config_problems *problems) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment) {
        config_problem(problems, 0, 0, "--set wants KEY=VALUE, not '%.200s'", assignment);
        return;
    }
    struct node *node = root;
    const char *at = assignment;
    while (at < equals) {
        const char *dot = memchr(at, '.', (size_t)(equals - at));
        bool rest_is_key = node != root && bytes_equal_text(node->key, "kafka");
        const char *end = dot && !rest_is_key ? dot : equals;
        if (node->kind != NODE_MAP) { /* nothing so far, or a value that cannot hold another: binding will say so */
            node->kind = NODE_MAP;
            node->children = NULL;
            node->line = 0;
            node->column = 0;
        }
        node = child_made(arena, node, bytes_of(at, (size_t)(end - at)));
        at = end < equals ? end + 1 : equals;
    }
    struct node *value = equals[1] == '{' || equals[1] == '['
                             ? read_document(arena, bytes_of_text(equals + 1), NO_LINES, problems)
                             : new_node(arena, NODE_SCALAR);
    if (!value) {
        return;
    }
    if (value->kind == NODE_SCALAR) {
        value->text = arena_copy(arena, bytes_of_text(equals + 1));
        expand(arena, value, problems);
    }
    node->kind = value->kind;
    node->children = value->children;
    node->text = value->text;
    node->line = 0;
    node->column = 0;
}
