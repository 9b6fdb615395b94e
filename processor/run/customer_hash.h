/* What stands for a customer's id in the log above debug level: 16 hexadecimal digits of HMAC-SHA256 over the id.
 *
 * With log.customer_key the same customer has the same hash in every process, and who has the key can compute it for a known id
 * (deploy/README.md says how); without, each process makes a key of its own, and hashes compare only within its lines. */
#ifndef TIDEMARK_RUN_CUSTOMER_HASH_H
#define TIDEMARK_RUN_CUSTOMER_HASH_H

#include "base/bytes.h"

enum { CUSTOMER_HASH_BYTES = 17 };

/* Before any thread starts. NULL: a random one. */
void customer_hash_set_key(const char *key);
/* Writes the hash into `hash` (CUSTOMER_HASH_BYTES). Any thread. */
void customer_hash(struct bytes id, char *hash);

#endif
