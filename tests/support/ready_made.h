/* The ready-made tier sets of config/, and walks of a customer through them.
 *
 *     const struct activity activities[] = {LOGS_IN(0), BUYS(10, 2000)};
 *     WALK("rising.yaml", "rising", activities, 100, "rising FIRST -> quiet #1 at 0d+0 by INTERACTION\n" ...); */
#ifndef TIDEMARK_TESTS_READY_MADE_H
#define TIDEMARK_TESTS_READY_MADE_H

#include "run/config.h"

#include "support/scoring.h"

#define READY_FOLDER TIDEMARK_SOURCE_DIR "/config/"

enum { READY_COUNT = 10 };
extern const char *const READY[READY_COUNT]; /* the files */

/* One of the files by itself, or all of them, included by a file of its own. config_destroy frees. */
struct config *ready_load(const char *file);
struct config *ready_load_all(void);

/* The tier in which the customer is; the set must be there. */
const char *ready_tier(const struct customer *customer, const struct model *model, const char *set);

/* The changes of one set while the activities happen, and then until the instant; as changes_text. */
const char *ready_walked(struct model_builder *builder, const struct config *config, const char *set,
                         const struct activity *activities, size_t count, int64_t until_ms);
/* Fails the test unless they are as expected up to that day, with the file alone and among all the others, and unless the customer
 * came into every tier of the set. */
void ready_walk(struct model_builder *builder, const char *file, const char *set, const struct activity *activities,
                size_t count, int days, const char *expected);

#define WALK(file, set, activities, days, expected)                                                                    \
    ready_walk(&builder, file, set, activities, sizeof(activities) / sizeof *(activities), days, expected)
#define BUYS(day, cents) test_purchase(NULL, TEST_AT(day, 0), cents)
#define LOGS_IN(day) test_interaction(NULL, TEST_AT(day, 0), INTERACTION_LOGIN)
#define ANSWERS(day, nps) test_feedback(NULL, TEST_AT(day, 0), SURVEY_NPS, nps)
#define COMPLAINS(day) test_feedback(NULL, TEST_AT(day, 0), SURVEY_COMPLAINT, 0)

#endif
