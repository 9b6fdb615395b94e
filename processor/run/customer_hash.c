#include "run/customer_hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>

enum { KEY_BYTES_MAX = 64 }; /* SHA-256's block: HMAC takes the digest of a longer key */

/* A part of the log, like its level: set once, before threads. */
static unsigned char key_of_all[KEY_BYTES_MAX];
static int key_bytes;

void customer_hash_set_key(const char *key) {
    unsigned int size = 32;
    int made = 1;
    if (!key) {
        made = RAND_bytes(key_of_all, (int)size);
    } else if (strlen(key) > KEY_BYTES_MAX) {
        made = EVP_Digest(key, strlen(key), key_of_all, &size, EVP_sha256(), NULL);
    } else {
        size = (unsigned int)strlen(key);
        memcpy(key_of_all, key, size);
    }
    ASSERT(made == 1);
    key_bytes = (int)size;
}

void customer_hash(struct bytes id, char *hash) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const unsigned char *made =
        HMAC(EVP_sha256(), key_of_all, key_bytes, (const unsigned char *)id.data, id.size, digest, &size);
    ASSERT(made && size >= CUSTOMER_HASH_BYTES / 2);
    for (size_t i = 0; i < CUSTOMER_HASH_BYTES / 2; i++) {
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    }
}
