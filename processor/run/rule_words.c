#include "run/rule_words.h"

#include "score/rules_lexer.h"

/* What metrics are called; the others, and scores, by their own names. */
static const struct {
    const char *name;
    const char *words;
} METRICS[] = {
    {"purchases", "purchases"},
    {"revenue", "revenue"},
    {"refunds", "money back"},
    {"aov", "revenue per purchase"},
    {"items", "items bought"},
    {"basket_size", "items per purchase"},
    {"interactions", "interactions"},
    {"referrals", "referrals"},
    {"points", "points"},
    {"nps", "NPS"},
    {"nps_margin", "margin of the NPS"},
    {"nps_low", "lower bound of the NPS"},
    {"nps_high", "upper bound of the NPS"},
    {"csat", "CSAT (share of 4 and 5)"},
    {"csat_mean", "mean CSAT answer"},
    {"ces", "CES"},
    {"complaints", "complaints"},
    {"reviews", "reviews"},
    {"review_mean", "mean review"},
    {"days_since_purchase", "days since the last purchase"},
    {"days_since_seen", "days since the last event of any kind"},
    {"tenure", "days since the first event"},
    {"purchase_days", "days with a purchase, ever"},
    {"mean_interval", "mean days between purchases"},
    {"interval_spread", "spread of the days between purchases"},
    {"frequency", "frequency of purchases"},
    {"stage", "latest stage of the journey"},
    {"furthest_stage", "furthest stage of the journey"},
    {"engagement", "engagement"},
    {"p_alive", "probability that the customer has not left"},
    {"expected_purchases", "purchases expected"},
    {"mean_spend", "revenue expected per purchase"},
    {"clv", "revenue expected"},
    {"min", "the least of"},
    {"max", "the largest of"},
};

static const struct {
    const char *symbol;
    const char *words;
} SYMBOLS[] = {
    {">=", " is at least "},
    {"<=", " is at most "},
    {">", " is more than "},
    {"<", " is less than "},
    {"=", " is "},
    {"==", " is "},
    {"!=", " is not "},
    {"+", " + "},
    {"-", " - "},
    {"*", " x "},
    {"/", " / "},
    {",", ", "},
    {"(", "("},
    {")", ")"},
};

struct reading {
    struct bytes rule;
    size_t at;
    struct buffer *out;
};

static struct token peek(const struct reading *reading) {
    return lexer_next(reading->rule, reading->at);
}

static struct token take(struct reading *reading) {
    struct token token = peek(reading);
    reading->at = (size_t)(token.text.data - reading->rule.data) + token.text.size;
    return token;
}

static bool next_is(const struct reading *reading, const char *text) {
    return bytes_equal_text(peek(reading).text, text);
}

static void put_metric(struct buffer *out, struct bytes name) {
    for (size_t i = 0; i < sizeof METRICS / sizeof *METRICS; i++) {
        if (bytes_equal_text(name, METRICS[i].name)) {
            buffer_put_text(out, METRICS[i].words);
            return;
        }
    }
    buffer_put_bytes(out, name);
}

/* (90d), (page_view, 90d), (90d, ago 30d), behind the metric's name. */
static void put_arguments(struct reading *reading, struct bytes metric) {
    bool ahead = bytes_equal_text(metric, "expected_purchases") || bytes_equal_text(metric, "clv");
    double window = 0;
    double ago = 0;
    bool shifted = false;
    for (struct token token = take(reading); token.kind != TOKEN_END && !bytes_equal_text(token.text, ")");
         token = take(reading)) {
        if (token.kind == TOKEN_NAME && bytes_equal_text(token.text, "ago")) {
            shifted = true;
        } else if (token.kind == TOKEN_NAME) {
            buffer_put_text(reading->out, " of kind ");
            buffer_put_bytes(reading->out, token.text);
        } else if (token.kind == TOKEN_DAYS) {
            *(shifted ? &ago : &window) = token.number;
        }
    }
    if (window > 0) {
        buffer_printf(reading->out, " in the %s%.0f days", ahead ? "next " : shifted ? "" : "last ", window);
    }
    if (shifted) {
        buffer_printf(reading->out, " that ended %.0f days ago", ago);
    }
}

/* trend(metric, w) and rising(w), which stand for more than a metric. */
static void put_sugar(struct reading *reading, bool trend) {
    struct bytes metric = bytes_of_text("");
    double window = 0;
    for (struct token token = take(reading); token.kind != TOKEN_END && !bytes_equal_text(token.text, ")");
         token = take(reading)) {
        metric = token.kind == TOKEN_NAME ? token.text : metric;
        window = token.kind == TOKEN_DAYS ? token.number : window;
    }
    if (trend) {
        put_metric(reading->out, metric);
        buffer_printf(reading->out, " in the last %.0f days / those of the %.0f days before", window, window);
    } else {
        buffer_printf(reading->out,
                      "a small customer bought more often and for more in the last %.0f days than in the "
                      "%.0f days before",
                      window, window);
    }
}

static void put_known(struct reading *reading, bool known) {
    buffer_put_text(reading->out, known ? "there is a value of (" : "there is no value of (");
    take(reading); /* the parenthesis: its other half closes ours */
}

static void put_name(struct reading *reading, struct bytes name) {
    bool call = next_is(reading, "(");
    if (bytes_equal_text(name, "and") || bytes_equal_text(name, "or")) {
        buffer_put_text(reading->out, name.size == 3 ? ", and " : ", or ");
    } else if (bytes_equal_text(name, "not") && next_is(reading, "known")) {
        take(reading);
        put_known(reading, false);
    } else if (bytes_equal_text(name, "not")) {
        buffer_put_text(reading->out, "not ");
    } else if (call && bytes_equal_text(name, "known")) {
        put_known(reading, true);
    } else if (call && bytes_equal_text(name, "tier")) {
        take(reading);
        buffer_put_text(reading->out, "the tier in ");
        buffer_put_bytes(reading->out, take(reading).text);
        take(reading);
    } else if (call && (bytes_equal_text(name, "trend") || bytes_equal_text(name, "rising"))) {
        put_sugar(reading, bytes_equal_text(name, "trend"));
    } else {
        put_metric(reading->out, name);
        if (call && !bytes_equal_text(name, "min") && !bytes_equal_text(name, "max")) {
            put_arguments(reading, name);
        }
    }
}

static void put_symbol(struct reading *reading, struct bytes symbol) {
    for (size_t i = 0; i < sizeof SYMBOLS / sizeof *SYMBOLS; i++) {
        if (bytes_equal_text(symbol, SYMBOLS[i].symbol)) {
            buffer_put_text(reading->out, SYMBOLS[i].words);
        }
    }
}

void rule_words(struct bytes rule, struct buffer *out) {
    struct reading reading = {rule, 0, out};
    for (struct token token = take(&reading); token.kind != TOKEN_END && token.kind != TOKEN_BAD;
         token = take(&reading)) {
        if (token.kind == TOKEN_NAME) {
            put_name(&reading, token.text);
        } else if (token.kind == TOKEN_SYMBOL) {
            put_symbol(&reading, token.text);
        } else {
            buffer_put_bytes(out, token.text);
        }
    }
}
