#include "serve/dashboard.h"

#define ZLIB_CONST /* what is read is const */
#include <zlib.h>

struct packed {
    const char *name;
    const unsigned char *data;
    size_t size;
};

/* Made by CMakeLists.txt: an array for each file, and packed_files with all of them. */
#include <dashboard.inc>

enum { GZIP_WINDOW_BITS = 16 + MAX_WBITS, UNPACKED_PIECE_BYTES = 64 * 1024 };

static const char *type_of(const char *name) {
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
    };
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++) {
        if (strcmp(ending, types[i][0]) == 0) {
            return types[i][1];
        }
    }
    return "application/octet-stream";
}

bool dashboard_find(struct bytes name, struct dashboard_file *file) {
    for (size_t i = 0; i < sizeof packed_files / sizeof *packed_files; i++) {
        const struct packed *packed = &packed_files[i];
        if (bytes_equal_text(name, packed->name)) {
            *file = (struct dashboard_file){type_of(packed->name), bytes_of((const char *)packed->data, packed->size)};
            return true;
        }
    }
    return false;
}

int dashboard_unpack(const struct dashboard_file *file, struct buffer *out) {
    z_stream stream = {.next_in = (const Bytef *)file->gzip.data, .avail_in = (uInt)file->gzip.size};
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK) {
        return ERR_NO_MEMORY;
    }
    int result = Z_OK;
    while (result == Z_OK) {
        char *room = buffer_reserve(out, UNPACKED_PIECE_BYTES);
        if (!room) {
            break;
        }
        stream.next_out = (Bytef *)room;
        stream.avail_out = UNPACKED_PIECE_BYTES;
        result = inflate(&stream, Z_NO_FLUSH);
        out->size += UNPACKED_PIECE_BYTES - stream.avail_out;
    }
    inflateEnd(&stream);
    ASSERT(out->error || result == Z_STREAM_END || result == Z_MEM_ERROR); /* the build has packed it whole */
    return result == Z_STREAM_END ? 0 : ERR_NO_MEMORY;
}
