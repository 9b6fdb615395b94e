/* The HTTP API's description: schemas/openapi.json, put into the program when it is built. */
#ifndef TIDEMARK_SERVE_OPENAPI_H
#define TIDEMARK_SERVE_OPENAPI_H

#include "base/bytes.h"

struct bytes openapi_document(void);

#endif
