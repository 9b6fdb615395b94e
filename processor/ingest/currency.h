/* Money: from one currency's minor units to the base currency's, in whole numbers only.
 *
 *     JPY 1000 at 0.0061 EUR: 1000 x 6100000 (nano) x 10^2 (EUR has 2 decimals, JPY 0) / 10^9 = 610
 */
#ifndef TIDEMARK_INGEST_CURRENCY_H
#define TIDEMARK_INGEST_CURRENCY_H

#include "ingest/decode.h"

/* The rate of a code of three bytes, or NULL if the config does not list it. */
const struct currency_rate *currency_find(const struct decoder *decoder, struct bytes code);

/* Rounds to the nearest, halves away from zero. False if the result is beyond AMOUNT_MINOR_MAX. */
bool currency_convert(const struct currency_rate *rate, int64_t amount_minor, int64_t *out) MUST_CHECK;

#endif
