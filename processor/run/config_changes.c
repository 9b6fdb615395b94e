#include "run/config_changes.h"

#include "run/config_options.h"

/* Sections and options that the rules are made of. All others are read once, at the start. */
static const char *const RULES[] = {
    "include",   "state.dedupe", "state.tiles", "populations", "lifetime_value", "feedback",
    "behaviour", "points",       "engagement",  "scores",      "tier_sets",
};

static bool belongs_to_rules(const char *name) {
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        size_t size = strlen(RULES[i]);
        if (strncmp(name, RULES[i], size) == 0 && (name[size] == '\0' || name[size] == '.')) {
            return true;
        }
    }
    return false;
}

static bool texts_differ(const char *a, const char *b) {
    return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool kafka_differs(const struct config *a, const struct config *b) {
    bool differs = a->kafka_count != b->kafka_count;
    for (size_t i = 0; i < a->kafka_count && !differs; i++) {
        differs =
            texts_differ(a->kafka[i].name, b->kafka[i].name) || texts_differ(a->kafka[i].value, b->kafka[i].value);
    }
    return differs;
}

static bool rates_differ(const struct config *a, const struct config *b) {
    bool differs = a->currencies_count != b->currencies_count;
    for (size_t i = 0; i < a->currencies_count && !differs; i++) {
        differs = strcmp(a->currencies[i].code, b->currencies[i].code) != 0 ||
                  a->currencies[i].rate_nano != b->currencies[i].rate_nano;
    }
    return differs;
}

static bool special_differs(const char *name, const struct config *a, const struct config *b) {
    if (strcmp(name, "kafka") == 0) {
        return kafka_differs(a, b);
    }
    if (strcmp(name, "currency.rates") == 0) {
        return rates_differ(a, b);
    }
    if (strcmp(name, "redis.durability") == 0) {
        return a->redis.durability != b->redis.durability || a->redis.replicas != b->redis.replicas;
    }
    ASSERT(strcmp(name, "http.listen") == 0); /* whoever adds another must say here what it means to differ */
    return texts_differ(a->http_host, b->http_host) || a->http_port != b->http_port;
}

static bool option_differs(const struct option *option, const struct config *a, const struct config *b) {
    const void *first = (const char *)a + option->offset;
    const void *second = (const char *)b + option->offset;
    switch (option->kind) {
    case OPTION_SECTION:
        return false;
    case OPTION_TEXT:
    case OPTION_SECRET:
        return texts_differ(*(const char *const *)first, *(const char *const *)second);
    case OPTION_CHOICE:
    case OPTION_WHOLE:
        return *(const int *)first != *(const int *)second;
    case OPTION_FLAG:
        return *(const bool *)first != *(const bool *)second;
    case OPTION_COUNT:
    case OPTION_SIZE:
        return *(const size_t *)first != *(const size_t *)second;
    case OPTION_DURATION:
        return *(const int64_t *)first != *(const int64_t *)second;
    case OPTION_NUMBER:
        return memcmp(first, second, sizeof(double)) != 0;
    case OPTION_SPECIAL:
        return special_differs(option->name, a, b);
    }
    return false;
}

void config_changes(const struct config *running, const struct config *again, struct buffer *out) {
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        const struct option *option = &CONFIG_OPTIONS[i];
        if (!belongs_to_rules(option->name) && option_differs(option, running, again)) {
            buffer_put_text(out, out->size > 0 ? ", " : "");
            buffer_put_text(out, option->name);
        }
    }
}
