#include "run/config_print_words.h"

#include "run/config_node.h"
#include "run/rule_words.h"

static struct bytes text_of(const struct node *map, const char *key) {
    const struct node *node = node_child(map, key);
    return node ? node->text : bytes_of_text("");
}

static void put_steps(struct buffer *out, const struct node *steps, bool low) {
    size_t score = low ? node_count(steps) + 1 : 1;
    for (const struct node *step = steps->children; step; step = step->next) {
        buffer_printf(out, " %s %s gives %zu,", low ? "up to" : "below", step->text.data, score);
        score = low ? score - 1 : score + 1;
    }
    buffer_printf(out, " %s gives %zu", low ? "more, or no value," : "from there", score);
}

static void put_score(struct buffer *out, const struct node *score) {
    const struct node *steps = node_child(score, "steps");
    const struct node *quantiles = node_child(score, "quantiles");
    const struct node *shares = node_child(score, "shares");
    bool low = bytes_equal_text(text_of(score, "best"), "low");
    buffer_printf(out, "#   %s: by ", score->key.data);
    rule_words(text_of(score, "metric"), out);
    if (quantiles) {
        buffer_printf(out, "; the customers in %s equal parts, the %s have %s", quantiles->text.data,
                      low ? "lowest" : "highest", quantiles->text.data);
    }
    if (shares) {
        buffer_printf(out, "; those who together make the first %s %% have %zu, and so on down to 1",
                      shares->children ? shares->children->text.data : "", node_count(shares) + 1);
    }
    if (steps) {
        buffer_put_text(out, quantiles || shares ? "; while they are few:" : ":");
        put_steps(out, steps, low);
    }
    buffer_put_byte(out, '\n');
}

static void put_tier(struct buffer *out, const struct node *tier) {
    const struct node *enter = node_child(tier, "enter");
    const struct node *stay = node_child(tier, "stay");
    const struct node *treatment = node_child(tier, "treatment");
    buffer_printf(out, "#   %s: ", text_of(tier, "name").data);
    if (enter) {
        rule_words(enter->text, out);
    } else {
        buffer_put_text(out, "everyone else");
    }
    if (stay) {
        buffer_put_text(out, "; who is in it stays as long as ");
        rule_words(stay->text, out);
    }
    for (const struct node *label = treatment ? treatment->children : NULL; label; label = label->next) {
        buffer_printf(out, "%s%s %s", label == treatment->children ? "; treatment: " : ", ", label->key.data,
                      label->text.data);
    }
    buffer_put_byte(out, '\n');
}

static void put_habits(struct buffer *out, const struct node *set) {
    static const struct {
        const char *option;
        const char *words;
    } times[] = {
        {"hold", "nobody falls within %s of entering a tier"},
        {"grace", "a fall happens once it has been due for %s"},
        {"notice", "a fall is announced %s ahead"},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct bytes value = text_of(set, times[i].option);
        const char *end = strchr(times[i].words, '%');
        if (value.size > 0 && value.data[0] != '0') {
            buffer_put_text(out, "#   ");
            buffer_put(out, times[i].words, (size_t)(end - times[i].words));
            buffer_put_bytes(out, value);
            buffer_put_text(out, end + 2);
            buffer_put_byte(out, '\n');
        }
    }
    if (bytes_equal_text(text_of(set, "demote"), "one_step")) {
        buffer_put_text(out, "#   a fall goes down one tier at a time\n");
    }
}

void config_print_words(const struct config *config, struct buffer *out) {
    const struct node *scores = node_child(config->root, "scores");
    const struct node *sets = node_child(config->root, "tier_sets");
    if (scores && scores->children) {
        buffer_put_text(out, "#\n# Scores:\n");
        for (const struct node *score = scores->children; score; score = score->next) {
            put_score(out, score);
        }
    }
    for (const struct node *set = sets ? sets->children : NULL; set; set = set->next) {
        struct bytes topic = text_of(set, "topic");
        buffer_printf(out, "#\n# Tier set %s, told on %s; a customer is in the first that fits:\n", set->key.data,
                      topic.size > 0 ? topic.data : config->tier_changes_topic);
        const struct node *tiers = node_child(set, "tiers");
        for (const struct node *tier = tiers ? tiers->children : NULL; tier; tier = tier->next) {
            put_tier(out, tier);
        }
        put_habits(out, set);
    }
}
