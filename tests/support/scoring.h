/* Customers for tests: applying activities to them, and asking for the value of any expression.
 *
 *     struct model *model = model_of(&builder, "set it\ntier yes = nps(30d) > 0\ntier no\n");
 *     struct customer *customer = customer_create(model);
 *     test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(0, 0), SURVEY_NPS, 10));
 *     assert_near(test_value(&builder, customer, "nps(30d)"), 100); */
#ifndef TIDEMARK_TESTS_SCORING_H
#define TIDEMARK_TESTS_SCORING_H

#include "support/model_builder.h"

#include <math.h>

/* Fails the test unless the numbers are the same but for rounding. */
void assert_near(double actual, double expected);
void assert_within(double actual, double expected, double relative);

/* Applies one activity, which must not be a duplicate; due instants are fired up to it. */
void test_apply(struct model_builder *builder, struct customer *customer, const struct model *model,
                struct activity activity);
/* The expression's value at the customer's now, or later. NAN: none. */
double test_value(struct model_builder *builder, const struct customer *customer, const char *expression);
double test_value_at(struct model_builder *builder, const struct customer *customer, const char *expression,
                     int64_t now_ms);

/* What is stored of the customer but its tiers and due instants, which depend on the order of events. */
void test_state(const struct customer *customer, const struct model *model, struct buffer *out);
/* Fails the test unless both have the same state in this sense. */
void assert_same_state(const struct customer *a, const struct customer *b, const struct model *model);
/* The customer as it is after having been stored: replaces it. */
void test_store(struct customer **customer, const struct model *model);

/* Puts the first `count` of 0, 1, 2, ... into a random order. */
void test_shuffle(struct test_random *random, int *order, int count);

#endif
