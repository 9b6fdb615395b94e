/* Rules in force, held by everything that scores or tells by them. When a running process takes new ones, the former stay until
 * the last task, question or thread has let go of them. Any thread may hold and release. */
#ifndef TIDEMARK_RUN_RULES_H
#define TIDEMARK_RUN_RULES_H

#include "run/config.h"
#include "run/task.h"

struct rules;

/* The rules of `again`, which goes when they do, or of the running configuration itself (NULL). They are held once. The running
 * configuration must outlive them. */
struct rules *rules_create(const struct config *running, struct config *again);

struct rules *rules_hold(struct rules *rules);
/* Accepts NULL. */
void rules_release(struct rules *rules);

const struct task_rules *rules_of_tasks(const struct rules *rules);
const struct model *rules_model(const struct rules *rules);
/* The running configuration with these rules; for as long as they are held. */
const struct config *rules_config(const struct rules *rules);

#endif
