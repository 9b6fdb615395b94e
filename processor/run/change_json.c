#include "run/change_json.h"

#include "publish/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

static const char *text_of(yyjson_val *object, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(object, name));
    return text ? text : "";
}

static void put_time(struct buffer *out, int64_t ms) {
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm broken;
    gmtime_r(&seconds, &broken);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M", &broken);
    buffer_put_text(out, text);
}

/* The condition that tells most: a fall, the first that ceased to hold; else the first that holds. */
static void put_reason(struct buffer *out, yyjson_val *change, bool fall) {
    yyjson_val *conditions = yyjson_obj_get(change, "conditions");
    yyjson_val *chosen = NULL;
    yyjson_val *condition;
    size_t i, count;
    yyjson_arr_foreach(conditions, i, count, condition) {
        bool met = yyjson_get_bool(yyjson_obj_get(condition, "met"));
        if (!chosen && met != fall) {
            chosen = condition;
        }
    }
    if (!chosen) {
        return;
    }
    yyjson_val *value = yyjson_obj_get(chosen, "value");
    buffer_printf(out, "  %s %s", fall ? "no longer" : "because", text_of(chosen, "rule"));
    if (yyjson_is_num(value)) {
        buffer_printf(out, " (is %.4g)", yyjson_get_num(value));
    }
}

bool change_json_line(struct bytes json, bool colours, struct buffer *out) {
    yyjson_doc *document = yyjson_read(json.data, json.size, 0);
    yyjson_val *change = yyjson_doc_get_root(document);
    const char *direction = text_of(change, "direction");
    if (!direction[0]) {
        yyjson_doc_free(document);
        return false;
    }
    bool fall = strcmp(direction, "DOWN") == 0;
    bool first = strcmp(direction, "FIRST") == 0;
    bool notice = strcmp(direction, "WILL_FALL") == 0;
    const char *colour = !colours ? "" : fall || notice ? "\033[33m" : first ? "\033[36m" : "\033[32m";
    put_time(out, yyjson_get_sint(yyjson_obj_get(change, "effective_time_ms")));
    buffer_printf(out, "  %s  %s%-10s %s %s %s%s", text_of(change, "customer_id"), colour, text_of(change, "tier_set"),
                  first ? "starts as" : text_of(change, "from"),
                  first    ? ""
                  : fall   ? "falls to"
                  : notice ? "will fall to"
                           : "rises to",
                  text_of(change, "to"), colours ? "\033[0m" : "");
    put_reason(out, change, fall || notice);
    yyjson_val *forecast = yyjson_obj_get(change, "forecast");
    if (yyjson_is_obj(forecast)) {
        buffer_printf(out, "; else %s on ", text_of(forecast, "tier"));
        put_time(out, yyjson_get_sint(yyjson_obj_get(forecast, "time_ms")));
    }
    yyjson_doc_free(document);
    return true;
}

bool change_json_line_of(struct bytes value, const char *tier_set, struct buffer *out) {
    struct buffer converted = {0};
    if (value.size > 0 && value.data[0] != '{' && encode_json_of_protobuf(value, &converted) == 0) {
        value = buffer_bytes(&converted);
    }
    yyjson_doc *document = value.size > 0 ? yyjson_read(value.data, value.size, 0) : NULL;
    const char *set = text_of(yyjson_doc_get_root(document), "tier_set");
    size_t size = 0;
    char *line = set[0] && (!tier_set || strcmp(set, tier_set) == 0) ? yyjson_write(document, 0, &size) : NULL;
    if (line) {
        buffer_put(out, line, size);
    }
    free(line);
    yyjson_doc_free(document);
    buffer_finish(&converted);
    return line != NULL;
}
