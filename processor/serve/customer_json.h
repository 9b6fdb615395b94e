/* A customer as JSON, for `tidemark get` and GET /v1/customers/{id}, in the shape of interface.md. */
#ifndef TIDEMARK_SERVE_CUSTOMER_JSON_H
#define TIDEMARK_SERVE_CUSTOMER_JSON_H

#include "score/customer.h"

/* Appends one line of JSON without a newline. */
int customer_json_write(struct bytes customer_id, const struct customer_view *view, struct buffer *out) MUST_CHECK;

#endif
