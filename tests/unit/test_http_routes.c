/* The routes against schemas/openapi.json, and their parameters. */
#include "http_support.h"

static yyjson_doc *read_document(struct buffer *text) {
    FILE *file = fopen(TIDEMARK_SOURCE_DIR "/schemas/openapi.json", "rb");
    char block[4096];
    assert_non_null(file);
    for (size_t size; (size = fread(block, 1, sizeof block, file)) > 0;) {
        buffer_put(text, block, size);
    }
    fclose(file);
    yyjson_doc *document = yyjson_read(text->data, text->size, 0);
    assert_non_null(document);
    return document;
}

static void every_route_is_documented_and_every_document_served(void **state) {
    (void)state;
    struct buffer text = {0};
    yyjson_doc *document = read_document(&text);
    yyjson_val *paths = yyjson_obj_get(yyjson_doc_get_root(document), "paths");
    size_t routes = 0;
    for (; http_route_path(routes); routes++) {
        yyjson_val *path = yyjson_obj_get(paths, http_route_path(routes));
        if (!yyjson_obj_get(path, "get")) {
            fail_msg("%s is not in schemas/openapi.json", http_route_path(routes));
        }
        assert_int_equal(yyjson_obj_size(path), 1);
    }
    assert_int_equal(routes, yyjson_obj_size(paths));
    yyjson_doc_free(document);
    buffer_finish(&text);
}

/* "/v1/customers/{id}" as a path that can be asked for. */
static void path_of(size_t route, char path[64]) {
    const char *brace = strchr(http_route_path(route), '{');
    const char *rest = !brace ? "" : strcmp(brace, "{file}") == 0 ? "main.js" : "c1";
    snprintf(path, 64, "%.*s%s", brace ? (int)(brace - http_route_path(route)) : 64, http_route_path(route), rest);
}

static void every_route_answers_and_can_only_be_read(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    for (size_t route = 0; http_route_path(route); route++) {
        char path[64];
        char request[200];
        path_of(route, path);
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\n\r\n", path);
        assert_int_equal(ask(&world, request)->status, 200);
        snprintf(request, sizeof request, "POST %s HTTP/1.1\r\nContent-Length: 0\r\n\r\n", path);
        const struct reply *reply = ask(&world, request);
        assert_problem(reply, 405);
        assert_header(reply, "Allow", "GET, HEAD");
    }
    world_stop(&world);
}

static void only_probes_and_the_page_need_no_token(void **state) {
    (void)state;
    struct world world;
    world_start(&world, "s3cret");
    for (size_t route = 0; http_route_path(route); route++) {
        char path[64];
        char request[200];
        path_of(route, path);
        bool open = strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0 || strcmp(path, "/") == 0 ||
                    strcmp(path, "/dashboard/main.js") == 0;
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", path);
        assert_int_equal(ask(&world, request)->status, open ? 200 : 401);
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nAuthorization: Bearer s3cret\r\n\r\n", path);
        assert_int_equal(ask(&world, request)->status, 200);
    }
    world_stop(&world);
}

static void the_document_is_served_as_it_stands(void **state) {
    (void)state;
    struct buffer text = {0};
    yyjson_doc_free(read_document(&text));
    struct world world;
    world_start(&world, NULL);
    const struct reply *reply = ask(&world, "GET /openapi.json HTTP/1.1\r\n\r\n");
    assert_int_equal(reply->status, 200);
    assert_header(reply, "Content-Type", "application/json");
    assert_non_null(header(reply, "ETag"));
    assert_int_equal(reply->body_size, text.size);
    assert_memory_equal(reply->body, text.data, text.size);
    world_stop(&world);
    buffer_finish(&text);
}

static void parameters_are_taken(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int days;
        enum http_feedback_by by;
        int limit;
    } cases[] = {
        {"/v1/feedback", 90, HTTP_FEEDBACK_ALL, 0},
        {"/v1/feedback?", 90, HTTP_FEEDBACK_ALL, 0},
        {"/v1/feedback?days=1&by=tier", 1, HTTP_FEEDBACK_TIER, 0},
        {"/v1/feedback?by=channel&days=400&x=y", 400, HTTP_FEEDBACK_CHANNEL, 0},
        {"/v1/feedback?by=touchpoint&days=0007", 7, HTTP_FEEDBACK_TOUCHPOINT, 0},
        {"/v1/feedback?bye=1&&daysx=2&day=3", 90, HTTP_FEEDBACK_ALL, 0},
        {"/v1/alerts", 0, HTTP_FEEDBACK_ALL, 50},
        {"/v1/alerts?limit=1", 0, HTTP_FEEDBACK_ALL, 1},
        {"/v1/alerts?limit=500", 0, HTTP_FEEDBACK_ALL, 500},
        {"/v1/value", 28, HTTP_FEEDBACK_ALL, 0},
        {"/v1/value?days=1", 1, HTTP_FEEDBACK_ALL, 0},
        {"/v1/value?days=92", 92, HTTP_FEEDBACK_ALL, 0},
    };
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[200];
        world.days = world.limit = 0;
        world.by = HTTP_FEEDBACK_ALL;
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", cases[i].path);
        const struct reply *reply = ask(&world, request);
        assert_int_equal(reply->status, 200);
        assert_header(reply, "Cache-Control", "private, no-cache");
        assert_non_null(header(reply, "ETag"));
        assert_int_equal(world.days, cases[i].days);
        assert_int_equal(world.by, cases[i].by);
        assert_int_equal(world.limit, cases[i].limit);
    }
    world_stop(&world);
}

static void malformed_parameters_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *path;
        const char *detail;
    } cases[] = {
        {"/v1/feedback?days=0", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days=401", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days=-1", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days=", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days=1.0", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days=99999999999999999999999", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/feedback?days=1&days=1", "The parameter 'days' is given twice."},
        {"/v1/feedback?by=", "The parameter 'by' is not one of: tier, channel, touchpoint."},
        {"/v1/feedback?by=Tier", "The parameter 'by' is not one of: tier, channel, touchpoint."},
        {"/v1/feedback?by=tier&by=tier", "The parameter 'by' is given twice."},
        {"/v1/feedback?days=x&by=y", "The parameter 'days' is not a whole number from 1 to 400."},
        {"/v1/alerts?limit=0", "The parameter 'limit' is not a whole number from 1 to 500."},
        {"/v1/alerts?limit=501", "The parameter 'limit' is not a whole number from 1 to 500."},
        {"/v1/value?days=0", "The parameter 'days' is not a whole number from 1 to 92."},
        {"/v1/value?days=93", "The parameter 'days' is not a whole number from 1 to 92."},
        {"/v1/customers/c1?at=253402300800000", "The parameter 'at' is not a whole number from 0 to 253402300799999."},
    };
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", cases[i].path);
        const struct reply *reply = ask(&world, request);
        assert_problem(reply, 400);
        if (!strstr(reply->body, cases[i].detail)) {
            fail_msg("%s: %s", cases[i].path, reply->body);
        }
        assert_null(header(reply, "ETag"));
    }
    assert_int_equal(world.asked, 0);
    world_stop(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_documented_and_every_document_served),
        cmocka_unit_test(every_route_answers_and_can_only_be_read),
        cmocka_unit_test(only_probes_and_the_page_need_no_token),
        cmocka_unit_test(the_document_is_served_as_it_stands),
        cmocka_unit_test(parameters_are_taken),
        cmocka_unit_test(malformed_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
