/* Answers that go on. What the client has not taken yet waits in evhttp's buffer, which is bounded here; whoever has not taken
 * it all after as long as a request may last is cut off, by the connection's deadline. */
#include "serve/http_parts.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>

struct http_stream {
    struct http_connection *connection;
    struct evhttp_request *request;
    struct bufferevent *output;
    struct http_stream_callbacks callbacks;
};

struct http_stream *http_answer_stream(struct http_answer *answer, const char *type,
                                       const struct http_stream_callbacks *callbacks) {
    struct http_stream *stream = answer->connection ? calloc(1, sizeof *stream) : NULL;
    if (stream) {
        *stream =
            (struct http_stream){.connection = answer->connection, .request = answer->request, .callbacks = *callbacks};
        http_answer_add_header(answer, "Content-Type", type);
        http_answer_add_header(answer, "Cache-Control", "no-store");
        http_answer_add_header(answer, "X-Content-Type-Options", "nosniff");
        http_answer_add_header(answer, "X-Accel-Buffering", "no"); /* a proxy between us must not wait for more */
        stream->output = http_connection_stream(answer->connection, answer->request, stream);
        if (stream->output) {
            http_connection_waits(stream->connection, false); /* the request is answered; headers alone fit anywhere */
        } else {
            free(stream);
            stream = NULL;
        }
    } else if (answer->connection) {
        http_answer_write_problem(answer, HTTP_SERVUNAVAIL, "Service Unavailable", "There is no memory for a stream.");
    }
    free(answer);
    return stream;
}

static void on_taken(struct evhttp_connection *evhttp, void *argument) {
    struct http_stream *stream = argument;
    (void)evhttp;
    http_connection_waits(stream->connection, false);
    stream->callbacks.drained(stream->callbacks.context);
}

bool http_stream_send(struct http_stream *stream, struct bytes bytes) {
    size_t waiting = evbuffer_get_length(bufferevent_get_output(stream->output));
    if (waiting > 0 && waiting + bytes.size > HTTP_STREAM_BYTES_MAX) {
        return false;
    }
    struct evbuffer *chunk = evbuffer_new();
    ASSERT(chunk && evbuffer_add(chunk, bytes.data, bytes.size) == 0);
    http_connection_waits(stream->connection, true);
    evhttp_send_reply_chunk_with_cb(stream->request, chunk, on_taken, stream);
    evbuffer_free(chunk);
    return true;
}

void http_stream_end(struct http_stream *stream) {
    http_connection_end_stream(stream->connection);
    free(stream);
}

void http_stream_closed(struct http_stream *stream) {
    const struct http_stream_callbacks callbacks = stream->callbacks;
    free(stream);
    callbacks.closed(callbacks.context);
}
