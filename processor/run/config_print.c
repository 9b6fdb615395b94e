#include "run/config_print.h"

#include "run/config_options.h"
#include "run/config_print_words.h"

#include <ctype.h>

static const char HIDDEN[] = "********";

/* Words and numbers, which YAML cannot take for anything else. */
static bool is_plain(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (!isalnum(c) && (i == 0 || !strchr("_-./", c)) && c != '_') {
            return false;
        }
    }
    return text.size > 0;
}

static void put_scalar(struct buffer *out, struct bytes text) {
    if (is_plain(text)) {
        buffer_put_bytes(out, text);
        return;
    }
    buffer_put_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ') {
            buffer_printf(out, "\\x%02x", c);
            continue;
        }
        if (c == '"' || c == '\\') {
            buffer_put_byte(out, '\\');
        }
        if (c == '$' && i + 1 < text.size && text.data[i + 1] == '{') {
            buffer_put_text(out, "\\x24"); /* not to be taken for a variable when it is read again */
            continue;
        }
        buffer_put_byte(out, c);
    }
    buffer_put_byte(out, '"');
}

/* A tree as flow YAML. Its depth is bounded by the reader's limit on nesting. */
static void put_node(struct buffer *out, const struct node *node) {
    if (node->kind == NODE_SCALAR) {
        put_scalar(out, node->text);
        return;
    }
    bool map = node->kind == NODE_MAP;
    buffer_put_byte(out, map ? '{' : '[');
    for (const struct node *child = node->children; child; child = child->next) {
        if (map) {
            put_scalar(out, child->key);
            buffer_put_text(out, ": ");
        }
        put_node(out, child);
        buffer_put_text(out, child->next ? ", " : "");
    }
    buffer_put_byte(out, map ? '}' : ']');
}

/* Scores and tier sets: each score, and each tier, on a line of its own. */
static void put_block(struct buffer *out, const struct node *map) {
    for (const struct node *child = map->children; child; child = child->next) {
        const struct node *tiers = child->kind == NODE_MAP ? node_child(child, "tiers") : NULL;
        buffer_put_text(out, "  ");
        put_scalar(out, child->key);
        buffer_put_text(out, ": ");
        if (!tiers) {
            put_node(out, child);
            buffer_put_byte(out, '\n');
            continue;
        }
        for (const struct node *option = child->children; option; option = option->next) {
            buffer_put_text(out, "\n    ");
            put_scalar(out, option->key);
            buffer_put_text(out, ": ");
            if (option != tiers) {
                put_node(out, option);
            }
            for (const struct node *tier = option == tiers ? tiers->children : NULL; tier; tier = tier->next) {
                buffer_put_text(out, "\n      - ");
                put_node(out, tier);
            }
        }
        buffer_put_byte(out, '\n');
    }
}

/* redis://user:password@host: what stands between the colon and the at sign. */
static void put_url(struct buffer *out, struct bytes url) {
    const char *host = memrchr(url.data, '@', url.size);
    const char *user = memmem(url.data, url.size, "://", 3);
    const char *colon = host && user && user + 3 < host ? memchr(user + 3, ':', (size_t)(host - user - 3)) : NULL;
    if (!colon) {
        put_scalar(out, url);
        return;
    }
    struct buffer shown = {0};
    buffer_put(&shown, url.data, (size_t)(colon + 1 - url.data));
    buffer_put_text(&shown, HIDDEN);
    buffer_put(&shown, host, (size_t)(url.data + url.size - host));
    put_scalar(out, buffer_bytes(&shown));
    buffer_finish(&shown);
}

/* librdkafka's properties that hold a secret: all that are called so, or are one. */
static bool is_secret(const char *property) {
    static const char *const parts[] = {
        "password", "secret", "pem", "jaas", "sasl.oauthbearer.config", "assertion.private.key"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strstr(property, parts[i])) {
            return true;
        }
    }
    return false;
}

static void put_kafka(struct buffer *out, const struct config *config) {
    buffer_put_text(out, "kafka:\n");
    for (size_t i = 0; i < config->kafka_count; i++) {
        const struct kafka_property *property = &config->kafka[i];
        buffer_put_text(out, "  ");
        put_scalar(out, bytes_of_text(property->name));
        buffer_put_text(out, ": ");
        put_scalar(out, bytes_of_text(is_secret(property->name) ? HIDDEN : property->value));
        buffer_put_byte(out, '\n');
    }
}

static const struct node *find(const struct node *root, const char *name) {
    const char *dot = strchr(name, '.');
    char section[64] = "";
    memcpy(section, name, dot && (size_t)(dot - name) < sizeof section ? (size_t)(dot - name) : 0);
    const struct node *map = dot ? node_child(root, section) : root;
    return map && map->kind == NODE_MAP ? node_child(map, dot ? dot + 1 : name) : NULL;
}

static void put_value(struct buffer *out, const struct option *option, const struct node *node) {
    if (option->kind == OPTION_SECRET) {
        put_scalar(out, bytes_of_text(HIDDEN));
    } else if (strcmp(option->name, "redis.url") == 0) {
        put_url(out, node ? node->text : bytes_of_text(option->otherwise));
    } else if (node) {
        put_node(out, node);
    } else {
        put_scalar(out, bytes_of_text(option->otherwise));
    }
    buffer_put_text(out, node ? "\n" : "   # default\n");
}

static void put_option(struct buffer *out, const struct option *option, const struct node *root) {
    const struct node *node = find(root, option->name);
    const char *dot = strchr(option->name, '.');
    bool blocks = strcmp(option->name, "scores") == 0 || strcmp(option->name, "tier_sets") == 0;
    if (option->kind == OPTION_SECTION) {
        buffer_printf(out, "%s:\n", option->name);
    } else if (blocks && node && node->kind == NODE_MAP) {
        buffer_printf(out, "%s:\n", option->name);
        put_block(out, node);
    } else if (node || option->otherwise) {
        buffer_printf(out, "%s%s: ", dot ? "  " : "", dot ? dot + 1 : option->name);
        put_value(out, option, node);
    }
}

void config_print(const struct config *config, struct buffer *out) {
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        const struct option *option = &CONFIG_OPTIONS[i];
        if (strcmp(option->name, "kafka") == 0) {
            put_kafka(out, config);
        } else if (strcmp(option->name, "include") != 0) { /* what was included is in the tree */
            put_option(out, option, config->root);
        }
    }
    config_print_words(config, out);
}
