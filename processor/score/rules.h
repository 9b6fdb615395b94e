/* Rules: small expressions over metrics and scores, compiled once to a postfix program.
 *
 *     rfm >= 13 and nps(180d) >= 0
 *
 * becomes: push score rfm, push 13, compare >=, skip to the end if false, push metric nps(180d), push 0, compare >=.
 * Numbers are doubles; NAN is "no value" and goes through arithmetic; a comparison with it is false. Truth is 0 or 1. Every
 * comparison remembers where its sides' programs stand, so that it can be told as a condition and solved for time. */
#ifndef TIDEMARK_SCORE_RULES_H
#define TIDEMARK_SCORE_RULES_H

#include "score/metrics.h"
#include "score/model.h"

enum {
    RULE_OPS_MAX = 256, /* a rule longer than this is better split into scores */
    RULE_COMPARISONS_MAX = 32,
    RULE_NESTING_MAX = 32,   /* parentheses in parentheses: also bounds the parser's recursion */
    RULE_ARGUMENTS_MAX = 16, /* of min and max */
    /* Values that can wait at once: a comparison's left side, and at each level of nesting an argument, a sum and a product. */
    RULE_STACK_MAX = 4 * (RULE_NESTING_MAX + 1),
};

enum op_code {
    OP_NUMBER, /* push number; `index` is enum constant_kind */
    OP_METRIC, /* push the metric of slot `index` */
    OP_SCORE,  /* push score `index` */
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_NEGATE,
    OP_MIN, /* of two */
    OP_MAX,
    OP_TREND, /* divide, but what is not above 0 divides nothing */
    OP_KNOWN, /* truth: the number has a value */
    OP_LESS,  /* the comparisons; `index` is that of the comparison */
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_NOT,
    OP_SKIP_IF_FALSE, /* `and`: leave the false and go to `index`, else drop the true and go on */
    OP_SKIP_IF_TRUE,  /* `or` */
    OP_TIER_IS,       /* truth: set `index` is in tier `number` */
    OP_TIER_IS_NOT,
};

struct op {
    enum op_code code;
    uint16_t index;
    double number;
};

/* Also `tier(set) = name`, which has no sides: left, right and end are its one op. */
struct comparison {
    struct bytes text; /* single-spaced */
    uint16_t left;     /* first op of the left side */
    uint16_t right;    /* first op of the right side */
    uint16_t end;      /* the comparing op */
    bool elapsed;      /* a side depends on elapsed time */
};

struct rule {
    struct bytes text;
    const struct op *ops;
    size_t ops_count;
    const struct comparison *comparisons;
    size_t comparisons_count;
    /* A rule that is one comparison with a number: which of its set's left sides it has, so that tiers that draw lines across the
     * same number compute it once; -1: any other rule. Known when the model is compiled. */
    int left;
};

/* What a rule may name; see model.c. */
struct rule_scope {
    struct arena *arena;
    struct metric_slots *slots; /* metrics found are added */
    const struct score_spec *scores;
    size_t scores_count;
    const struct tier_set_spec *sets;
    size_t sets_count;
    const char *where; /* "tier_sets.value.tiers[0].enter" */
    bool metric_only;  /* scores' `metric`: exactly one metric; such a scope names no scores */
    double rising_below;
};

/* Numbers that have names: the values of frequency and stage. */
enum constant_kind { CONSTANT_NONE, CONSTANT_FREQUENCY, CONSTANT_STAGE };
struct constant {
    const char *name;
    enum constant_kind kind;
    double value;
};
bool rule_constant(struct bytes name, struct constant *out);
/* The constants one by one from 0 on; false behind the last. */
bool rule_constant_at(int index, struct constant *out);

/* Parses and compiles; the rule must be a truth value, or with metric_only a single metric (then ops[0] names its slot). */
int rule_compile(const struct rule_scope *scope, const struct spec_text *text, struct rule *out,
                 struct model_error *error) MUST_CHECK;

#endif
