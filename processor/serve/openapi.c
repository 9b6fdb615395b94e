#include "serve/openapi.h"

/* openapi.inc holds the bytes of the document, separated by commas: cmake/embed.cmake. */
static const unsigned char document[] = {
#include <openapi.inc>
};

struct bytes openapi_document(void) {
    return bytes_of((const char *)document, sizeof document);
}
