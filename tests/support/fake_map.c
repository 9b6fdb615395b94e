#include "support/fake_parts.h"

struct fake_pair *fake_map_find(const struct fake_map *map, struct bytes name) {
    for (size_t i = 0; i < map->count; i++) {
        if (bytes_equal(map->pairs[i].name, name)) {
            return &map->pairs[i];
        }
    }
    return NULL;
}

struct fake_pair *fake_map_get(struct fake_world *world, struct fake_map *map, struct bytes name) {
    struct fake_pair *pair = fake_map_find(map, name);
    if (pair) {
        return pair;
    }
    map->pairs = fake_grown(world, map->pairs, map->count, &map->capacity, sizeof *map->pairs);
    pair = &map->pairs[map->count++];
    *pair = (struct fake_pair){.name = fake_copied(world, name)};
    return pair;
}

struct fake_map fake_map_copy(struct fake_world *world, const struct fake_map *map) {
    struct fake_map copy = {fake_take(world, (map->count + 1) * sizeof *copy.pairs), map->count, map->count};
    if (map->count) {
        memcpy(copy.pairs, map->pairs, map->count * sizeof *copy.pairs);
    }
    return copy;
}
