#include "run/config_include.h"

#include "run/config_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONFIG_BYTES_MAX = 1048576, /* a file larger than this is some other file */
    WHERE_BYTES = 160,
};

static const char TOO_LARGE[] = "larger than 1 MiB: not a configuration";

/* A file that is being read, and those that include it. */
struct including {
    const struct including *parent; /* NULL: nobody includes it */
    const char *path;
    struct node *root;
    size_t file; /* among the problems' files */
    int depth;
};

const char *config_read_bytes(const char *path, struct buffer *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = 0;
    do {
        char *room = fd >= 0 ? buffer_reserve(out, 65536) : NULL;
        size = room ? read(fd, room, 65536) : -1;
        out->size += size > 0 ? (size_t)size : 0;
    } while (size > 0 && out->size <= CONFIG_BYTES_MAX);
    const char *problem = size < 0 ? strerror(errno) : out->size > CONFIG_BYTES_MAX ? TOO_LARGE : NULL;
    if (fd >= 0) {
        close(fd);
    }
    return problem;
}

/* ---- two trees into one ---- */

static bool is_empty(const struct node *node) {
    return node->kind == NODE_SCALAR && node->text.size == 0;
}

/* Written identically, but for layout and comments. Trees are no deeper than config_node.c reads them. */
static bool same(const struct node *a, const struct node *b) {
    bool alike = a->kind == b->kind && bytes_equal(a->key, b->key) && bytes_equal(a->text, b->text);
    const struct node *one = a->children;
    const struct node *other = b->children;
    for (; alike && one && other; one = one->next, other = other->next) {
        alike = same(one, other);
    }
    return alike && !one && !other;
}

/* Whether the line is of the including file itself, not of one that it included before. */
static bool is_own(const struct including *into, const struct config_problems *problems, int line) {
    const struct config_file *file = config_file_of(problems, &line);
    return !file || file == &problems->files[into->file];
}

static void append(struct node *map, struct node *child) {
    struct node **link = &map->children;
    while (*link) {
        link = &(*link)->next;
    }
    child->next = NULL;
    *link = child;
}

/* Behind what was included before, and before the file's own. */
static void insert(const struct including *into, const struct config_problems *problems, struct node *map,
                   struct node *child) {
    struct node **link = &map->children;
    while (*link && !is_own(into, problems, (*link)->key_line)) {
        link = &(*link)->next;
    }
    child->next = *link;
    *link = child;
}

static void take_content(struct node *node, const struct node *from) {
    node->kind = from->kind;
    node->children = from->children;
    node->text = from->text;
    node->line = from->line;
    node->column = from->column;
}

static void tell_clash(struct config_problems *problems, int line, int column, const char *where, int other_line,
                       const char *hint) {
    const struct config_file *other = config_file_of(problems, &other_line);
    config_problem(problems, line, column, "%s is written otherwise in %.200s:%d%s", where, other ? other->path : "",
                   other_line, hint);
}

/* Scores or tier sets: whole ones only. */
static void merge_named(const struct including *into, struct node *mine, struct node *from,
                        struct config_problems *problems) {
    struct node *next = NULL;
    for (struct node *child = from->kind == NODE_MAP ? from->children : NULL; child; child = next) {
        char where[WHERE_BYTES];
        const struct node *known = node_child(mine, child->key.data);
        next = child->next;
        snprintf(where, sizeof where, "%.80s.%.60s", from->key.data, child->key.data);
        if (!known) {
            insert(into, problems, mine, child);
        } else if (!same(known, child)) {
            tell_clash(problems, child->key_line, child->key_column, where, known->key_line, "");
        }
    }
}

/* Options one by one: the file's own win; two that are included must agree, else the file has to say it. */
static void merge_options(const struct including *into, struct node *mine, struct node *from, const char *where,
                          struct config_problems *problems) {
    struct node *next = NULL;
    if (is_empty(from) || same(mine, from)) {
        return;
    }
    if (is_empty(mine)) {
        take_content(mine, from);
        return;
    }
    if (mine->kind != NODE_MAP || from->kind != NODE_MAP) {
        if (!is_own(into, problems, mine->line)) {
            tell_clash(problems, from->line, from->column, where, mine->line,
                       ": the file that includes both can say which");
        }
        return;
    }
    for (struct node *child = from->children; child; child = next) {
        char inner[WHERE_BYTES];
        struct node *known = node_child(mine, child->key.data);
        next = child->next;
        snprintf(inner, sizeof inner, "%.80s.%.60s", where, child->key.data);
        if (known) {
            merge_options(into, known, child, inner, problems);
        } else {
            append(mine, child);
        }
    }
}

static void merge(const struct including *into, struct node *from, struct config_problems *problems) {
    struct node *next = NULL;
    for (struct node *section = from->children; section; section = next) {
        struct node *mine = node_child(into->root, section->key.data);
        bool named = bytes_equal_text(section->key, "scores") || bytes_equal_text(section->key, "tier_sets");
        next = section->next;
        if (bytes_equal_text(section->key, "include")) {
            continue;
        }
        if (!mine) {
            append(into->root, section);
        } else if (named && mine->kind == NODE_MAP && section->kind == NODE_MAP) {
            merge_named(into, mine, section, problems);
        } else {
            merge_options(into, mine, section, section->key.data, problems);
        }
    }
}

/* ---- reading ---- */

static bool is_option(struct bytes key) {
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        if (bytes_equal_text(key, CONFIG_OPTIONS[i].name)) {
            return true;
        }
    }
    return false;
}

/* An included file says how customers are scored, and nothing about where it runs. */
static void check_sections(const struct node *root, struct config_problems *problems) {
    static const char *const known[] = {"include", "scores",     "tier_sets", "populations", "lifetime_value",
                                        "points",  "engagement", "behaviour", "feedback"};
    for (const struct node *child = root->children; child; child = child->next) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            found |= bytes_equal_text(child->key, known[i]);
        }
        if (!found && is_option(child->key)) {
            config_problem(
                problems, child->key_line, child->key_column,
                "'%s' cannot stand in an included file, which says only how customers are scored: it belongs "
                "into the file that includes it",
                child->key.data);
        } else if (!found) {
            config_unknown_key(problems, child, "an included file", known, sizeof known / sizeof *known);
        }
    }
}

static struct node *read_file(struct arena *arena, const char *path, struct bytes text,
                              struct config_problems *problems) {
    const struct config_file *last = problems->files_count ? &problems->files[problems->files_count - 1] : NULL;
    struct config_file *file = &problems->files[problems->files_count++];
    *file = (struct config_file){.path = path, .lines_before = last ? last->lines_before + last->lines : 0, .lines = 2};
    for (const char *at = text.data; (at = memchr(at, '\n', (size_t)(text.data + text.size - at))); at++) {
        file->lines++; /* what is wrong with the end of a file is told one line behind it */
    }
    return config_read_yaml(arena, text, file->lines_before, problems);
}

static bool is_same_file(const char *a, const char *b) {
    struct stat one;
    struct stat other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* The path as it is opened: relative to the folder of the including file. NULL, and a problem: cannot be. */
static const char *path_of(struct arena *arena, const struct including *from, const struct node *item,
                           struct config_problems *problems) {
    char path[CONFIG_PATH_BYTES];
    const char *slash = strrchr(from->path, '/');
    int folder = slash && item->text.data[0] != '/' ? (int)(slash - from->path) + 1 : 0;
    int size = snprintf(path, sizeof path, "%.*s%s", folder, from->path, item->text.data);
    const char *problem = NULL;
    if (item->kind != NODE_SCALAR || item->text.size == 0) {
        problem = "include: expected a list of files like [value.yaml, churn.yaml]";
    } else if (size < 0 || (size_t)size >= sizeof path) {
        problem = "include: the path is too long";
    } else if (problems->files_count == CONFIG_FILES_MAX) {
        problem = "include: too many files";
    } else if (from->depth == INCLUDE_DEPTH_MAX) {
        problem = "include: files that include files that include files: nested too deeply";
    }
    for (const struct including *above = from; above && !problem; above = above->parent) {
        problem = is_same_file(path, above->path) ? "include: this file is being read already: it would include itself"
                                                  : NULL;
    }
    if (problem) {
        config_problem(problems, item->line, item->column, "%s", problem);
        return NULL;
    }
    return arena_copy(arena, bytes_of_text(path)).data;
}

static void include_all(struct arena *arena, struct including *into, struct config_problems *problems);

static void include_one(struct arena *arena, struct including *into, const struct node *item,
                        struct config_problems *problems) {
    struct including file = {.parent = into, .path = path_of(arena, into, item, problems), .depth = into->depth + 1};
    struct buffer text = {0};
    const char *problem = file.path ? config_read_bytes(file.path, &text) : NULL;
    if (problem) {
        config_problem(problems, item->line, item->column, "include: cannot read %.300s: %s", file.path, problem);
    } else if (file.path) {
        file.file = problems->files_count;
        file.root = read_file(arena, file.path, buffer_bytes(&text), problems);
    }
    if (file.root) {
        check_sections(file.root, problems);
        include_all(arena, &file, problems);
        merge(into, file.root, problems);
    }
    buffer_finish(&text);
}

/* Recurses for each file that includes others, up to INCLUDE_DEPTH_MAX. */
static void include_all(struct arena *arena, struct including *into, struct config_problems *problems) {
    const struct node *list = node_child(into->root, "include");
    if (list && list->kind == NODE_LIST) {
        for (const struct node *item = list->children; item; item = item->next) {
            include_one(arena, into, item, problems);
        }
    } else if (list) {
        include_one(arena, into, list, problems);
    }
}

struct node *config_read_tree(struct arena *arena, const char *path, struct bytes text, const char *const *overrides,
                              size_t overrides_count, struct config_problems *problems) {
    static const char include[] = "include=";
    problems->files_count = 0;
    struct including main = {.path = path, .root = read_file(arena, path, text, problems)};
    if (!main.root) {
        return NULL;
    }
    /* An override of `include` says what to read; all others win over what was read. */
    for (int rest = 0; rest < 2; rest++) {
        for (size_t i = 0; i < overrides_count; i++) {
            if ((strncmp(overrides[i], include, sizeof include - 1) != 0) == rest) {
                config_override(arena, main.root, overrides[i], problems);
            }
        }
        if (!rest) {
            include_all(arena, &main, problems);
        }
    }
    return main.root;
}
