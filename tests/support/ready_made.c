#include "support/ready_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_BYTES = 512 };

const char *const READY[READY_COUNT] = {"abc.yaml",     "churn.yaml",    "feedback.yaml",      "lifecycle.yaml",
                                        "loyalty.yaml", "rfm-grid.yaml", "rfm-quartiles.yaml", "rfm-segments.yaml",
                                        "rising.yaml",  "value.yaml"};

/* ---- loading ---- */

static struct config *load(const char *path) {
    static struct config_problems problems;
    problems.count = 0;
    struct config *config = config_load(path, NULL, 0, &problems);
    config_print_problems(path, &problems);
    assert_non_null(config);
    return config;
}

struct config *ready_load(const char *file) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, READY_FOLDER "%s", file);
    return load(path);
}

/* All of them, included by a file of its own. */
struct config *ready_load_all(void) {
    char path[] = "/tmp/tidemark-ready-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fprintf(file, "group: ready\ninclude:\n");
    for (size_t i = 0; i < READY_COUNT; i++) {
        fprintf(file, "  - " READY_FOLDER "%s\n", READY[i]);
    }
    assert_int_equal(fclose(file), 0);
    struct config *config = load(path);
    unlink(path);
    return config;
}

static size_t set_named(const struct model *model, const char *name) {
    size_t set = 0;
    while (set < model_sets_count(model) && !bytes_equal_text(model_set_name(model, set), name)) {
        set++;
    }
    assert_true(set < model_sets_count(model));
    return set;
}

const char *ready_tier(const struct customer *customer, const struct model *model, const char *name) {
    size_t set = set_named(model, name);
    assert_true(customer->tiers[set].tier >= 0);
    return model_tier_name(model, set, (size_t)customer->tiers[set].tier).data;
}

/* ---- walking ---- */

/* Only the lines of one set. */
static const char *lines_of(struct model_builder *builder, const char *text, const char *set) {
    struct buffer out = {0};
    size_t size = strlen(set);
    while (*text) {
        size_t length = strcspn(text, "\n") + 1;
        if (strncmp(text, set, size) == 0 && text[size] == ' ') {
            buffer_put(&out, text, length);
        }
        text += length;
    }
    const char *lines = arena_copy(&builder->arena, buffer_bytes(&out)).data;
    buffer_finish(&out);
    return lines;
}

const char *ready_walked(struct model_builder *builder, const struct config *config, const char *set,
                         const struct activity *activities, size_t count, int64_t until_ms) {
    struct customer *customer = customer_create(config->model);
    struct changes changes;
    changes_init(&changes, &builder->arena);
    for (size_t i = 0; i < count; i++) {
        customer_apply(customer, config->model, &activities[i], TIME_NONE, &changes);
    }
    customer_advance(customer, config->model, until_ms, &changes);
    assert_true(customer_is_valid(customer, config->model));
    const char *text = lines_of(builder, changes_text(builder, config->model, &changes), set);
    customer_destroy(customer);
    return text;
}

void ready_walk(struct model_builder *builder, const char *file, const char *set, const struct activity *activities,
                size_t count, int days, const char *expected) {
    struct config *alone = ready_load(file);
    struct config *among = ready_load_all();
    assert_string_equal(ready_walked(builder, alone, set, activities, count, TEST_AT(days, 0)), expected);
    assert_string_equal(ready_walked(builder, among, set, activities, count, TEST_AT(days, 0)), expected);
    size_t at = set_named(alone->model, set);
    for (size_t tier = 0; tier < model_tiers_count(alone->model, at); tier++) {
        char entered[128];
        snprintf(entered, sizeof entered, "-> %s #", model_tier_name(alone->model, at, tier).data);
        if (!strstr(expected, entered)) {
            fail_msg("%s: nobody came into %s", file, model_tier_name(alone->model, at, tier).data);
        }
    }
    config_destroy(alone);
    config_destroy(among);
}
