/* Commands in Redis' protocol. */
#include "state/redis_conn.h"

void resp_begin(struct buffer *out, size_t arguments) {
    buffer_put_byte(out, '*');
    buffer_put_decimal(out, (int64_t)arguments);
    buffer_put(out, "\r\n", 2);
}

void resp_joined(struct buffer *out, struct bytes head, struct bytes tail) {
    buffer_put_byte(out, '$');
    buffer_put_decimal(out, (int64_t)(head.size + tail.size));
    buffer_put(out, "\r\n", 2);
    buffer_put_bytes(out, head);
    buffer_put_bytes(out, tail);
    buffer_put(out, "\r\n", 2);
}

void resp_bytes(struct buffer *out, struct bytes argument) {
    resp_joined(out, argument, bytes_of("", 0));
}

void resp_text(struct buffer *out, const char *argument) {
    resp_bytes(out, bytes_of_text(argument));
}

void resp_number(struct buffer *out, int64_t argument) {
    char text[24];
    struct buffer digits = {.data = text, .capacity = sizeof text};
    buffer_put_decimal(&digits, argument);
    resp_bytes(out, buffer_bytes(&digits));
}
