/* The cache of customers: least recently used out first, pinned ones never, within its bytes. */
#include "state/cache.h"

#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MUCH = 1 << 30, IDS = 40, TASKS = 2, SEEDS = 300 };

static const struct model *model;

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    model = model_of(&builder, "set it\ntier yes = purchases(90d) >= 1\ntier no\n");
    return 0;
}

static struct cache *created(size_t bytes_max) {
    struct cache *cache = cache_create(bytes_max);
    assert_non_null(cache);
    return cache;
}

static struct cache_entry *get(struct cache *cache, int32_t task, const char *id) {
    struct bytes bytes = bytes_of_text(id);
    struct cache_entry *entry = cache_get(cache, task, bytes, bytes_hash(bytes));
    assert_non_null(entry);
    assert_int_equal(entry->task, task);
    assert_true(bytes_equal(cache_entry_id(entry), bytes));
    return entry;
}

/* Whether the id is there, by looking: a new entry is empty, and then it is in the cache. */
static bool was_there(struct cache *cache, int32_t task, const char *id) {
    size_t count = cache_count(cache);
    (void)get(cache, task, id);
    return cache_count(cache) == count;
}

static void fill(struct cache *cache, struct cache_entry *entry) {
    entry->customer = customer_create(model);
    assert_non_null(entry->customer);
    entry->state = CACHE_READY;
    cache_resize(cache, entry);
}

static void an_id_has_one_entry(void **state) {
    (void)state;
    struct cache *cache = created(MUCH);
    assert_int_equal(cache_count(cache), 0);
    struct cache_entry *entry = get(cache, 1, "c1");
    assert_int_equal(entry->state, CACHE_EMPTY);
    assert_null(entry->customer);
    assert_int_equal(entry->pins, 0);
    fill(cache, entry);
    struct cache_entry *other = get(cache, 1, "c2");
    assert_ptr_not_equal(entry, other);
    assert_ptr_equal(get(cache, 1, "c1"), entry);
    assert_ptr_equal(get(cache, 1, "c2"), other);
    assert_int_equal(entry->state, CACHE_READY);
    assert_int_equal(cache_count(cache), 2);
    cache_destroy(cache);
    cache_destroy(NULL);
}

static void tasks_do_not_share_entries(void **state) {
    (void)state;
    struct cache *cache = created(MUCH);
    struct cache_entry *first = get(cache, 0, "c1");
    struct cache_entry *second = get(cache, 1, "c1");
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(get(cache, 0, "c1"), first);
    assert_ptr_equal(get(cache, 1, "c1"), second);
    struct cache_entry *same_place = get(cache, 1024, "c1"); /* of the table, as task 0 */
    assert_ptr_not_equal(first, same_place);
    assert_ptr_equal(get(cache, 0, "c1"), first);
    cache_destroy(cache);
}

static void equal_hashes_are_not_equal_ids(void **state) {
    (void)state;
    struct cache *cache = created(MUCH);
    static const char *const ids[] = {"a", "b", "", "ab", "a longer one"};
    struct cache_entry *entries[5];
    for (size_t i = 0; i < 5; i++) {
        entries[i] = cache_get(cache, 3, bytes_of_text(ids[i]), 42);
        assert_non_null(entries[i]);
    }
    for (size_t i = 5; i-- > 0;) {
        assert_ptr_equal(cache_get(cache, 3, bytes_of_text(ids[i]), 42), entries[i]);
    }
    assert_int_equal(cache_count(cache), 5);
    cache_destroy(cache);
}

static void the_least_recently_used_leaves_first(void **state) {
    (void)state;
    struct cache *probe = created(MUCH);
    fill(probe, get(probe, 0, "a"));
    size_t each = cache_bytes(probe);
    cache_destroy(probe);
    struct cache *cache = created(3 * each);
    fill(cache, get(cache, 0, "a"));
    fill(cache, get(cache, 0, "b"));
    fill(cache, get(cache, 0, "c"));
    cache_shrink(cache);
    assert_int_equal(cache_count(cache), 3); /* just fits */
    (void)get(cache, 0, "a");
    fill(cache, get(cache, 0, "d"));
    assert_int_equal(cache_count(cache), 4); /* nothing leaves before it is asked to */
    cache_shrink(cache);
    assert_int_equal(cache_bytes(cache), 3 * each);
    assert_true(was_there(cache, 0, "a"));
    assert_true(was_there(cache, 0, "c"));
    assert_true(was_there(cache, 0, "d"));
    assert_false(was_there(cache, 0, "b"));
    cache_destroy(cache);
}

static void pinned_entries_stay(void **state) {
    (void)state;
    struct cache *cache = created(1);
    struct cache_entry *twice = get(cache, 0, "a");
    struct cache_entry *once = get(cache, 0, "b");
    (void)get(cache, 0, "c");
    cache_pin(twice);
    cache_pin(twice);
    cache_pin(once);
    cache_shrink(cache);
    assert_int_equal(cache_count(cache), 2);
    assert_true(cache_bytes(cache) > 1); /* the limit gives way to what is in use */
    cache_unpin(cache, twice);
    cache_shrink(cache);
    assert_int_equal(cache_count(cache), 2);
    cache_unpin(cache, twice);
    cache_unpin(cache, once);
    assert_int_equal(cache_count(cache), 2);
    cache_shrink(cache);
    assert_int_equal(cache_count(cache), 0);
    assert_int_equal(cache_bytes(cache), 0);
    cache_destroy(cache);
}

/* A worker with many tasks may hold a multiple of the limit pinned, and shrinks after each pump of each task. */
static void a_shrink_is_short_however_many_are_pinned(void **state) {
    (void)state;
    enum { PINNED = 20000 };
    struct cache *cache = created(1);
    struct cache_entry **entries = calloc(PINNED, sizeof *entries);
    assert_non_null(entries);
    for (int i = 0; i < PINNED; i++) {
        char id[16];
        snprintf(id, sizeof id, "c%d", i);
        entries[i] = get(cache, 0, id);
        cache_pin(entries[i]);
    }
    cache_shrink(cache);
    for (int i = 0; i < PINNED; i++) {
        entries[i]->used = true;
    }
    cache_shrink(cache);
    int looked_at = 0;
    for (int i = 0; i < PINNED; i++) {
        looked_at += !entries[i]->used;
        cache_unpin(cache, entries[i]);
    }
    assert_in_range(looked_at, 1, PINNED / 10);
    for (int i = 0; i < PINNED && cache_is_over(cache); i++) {
        cache_shrink(cache);
    }
    assert_int_equal(cache_count(cache), 0); /* and yet all leave in the end */
    free(entries);
    cache_destroy(cache);
}

static void a_customer_counts_with_its_size(void **state) {
    (void)state;
    struct cache *cache = created(MUCH);
    struct cache_entry *entry = get(cache, 0, "c1");
    size_t empty = cache_bytes(cache);
    fill(cache, entry);
    size_t small = cache_bytes(cache);
    assert_true(small >= empty + sizeof(struct customer));
    struct changes changes;
    changes_init(&changes, &builder.arena);
    for (int day = 0; day < 80; day++) {
        struct activity activity = test_purchase(NULL, TEST_AT(day, 0), 100);
        (void)customer_apply(entry->customer, model, &activity, TIME_NONE, &changes);
    }
    assert_int_equal(cache_bytes(cache), small); /* not told yet */
    cache_resize(cache, entry);
    assert_true(cache_bytes(cache) >= small + 80 * 2 * sizeof(struct cell));
    cache_resize(cache, entry);
    customer_destroy(entry->customer);
    entry->customer = NULL;
    cache_resize(cache, entry);
    assert_int_equal(cache_bytes(cache), empty);
    cache_destroy(cache);
}

static void a_task_goes_with_all_it_has(void **state) {
    (void)state;
    struct cache *cache = created(MUCH);
    for (int32_t task = 0; task < 3; task++) {
        for (int i = 0; i < 20; i++) {
            char id[32];
            snprintf(id, sizeof id, "c%d", i);
            struct cache_entry *entry = get(cache, task, id);
            fill(cache, entry);
            if (i % 2) {
                cache_pin(entry);
            }
        }
    }
    size_t bytes = cache_bytes(cache);
    cache_drop_task(cache, 1);
    assert_int_equal(cache_count(cache), 40);
    assert_int_equal(cache_bytes(cache), bytes / 3 * 2);
    assert_true(was_there(cache, 0, "c19"));
    assert_true(was_there(cache, 2, "c0"));
    assert_false(was_there(cache, 1, "c7"));
    cache_drop_task(cache, 99);
    assert_int_equal(cache_count(cache), 41);
    cache_destroy(cache);
}

/* More entries than the table began with. */
static void the_table_grows(void **state) {
    (void)state;
    enum { MANY = 5000 };
    static struct cache_entry *entries[MANY];
    struct cache *cache = created(MUCH);
    for (int i = 0; i < MANY; i++) {
        char id[32];
        snprintf(id, sizeof id, "customer %d", i);
        entries[i] = get(cache, i % 3, id);
    }
    assert_int_equal(cache_count(cache), MANY);
    for (int i = 0; i < MANY; i++) {
        char id[32];
        snprintf(id, sizeof id, "customer %d", i);
        assert_ptr_equal(get(cache, i % 3, id), entries[i]);
    }
    assert_int_equal(cache_count(cache), MANY);
    cache_drop_task(cache, 0);
    cache_drop_task(cache, 1);
    cache_drop_task(cache, 2);
    assert_int_equal(cache_count(cache), 0);
    /* The table itself counts where it has grown. */
    assert_true(cache_bytes(cache) >= 4096 * sizeof(void *) && cache_bytes(cache) <= 8192 * sizeof(void *));
    cache_destroy(cache);
}

/* ---- against a plain list ---- */

struct plain {
    struct {
        int32_t task;
        int id;
        bool used; /* met again since it was put at the end */
        struct cache_entry *entry;
    } items[IDS * TASKS + 1]; /* the next to leave first */
    size_t count;
};

static void plain_remove(struct plain *plain, size_t at) {
    plain->count--;
    memmove(&plain->items[at], &plain->items[at + 1], (plain->count - at) * sizeof *plain->items);
}

static size_t plain_bytes(const struct plain *plain) {
    size_t bytes = 0;
    for (size_t i = 0; i < plain->count; i++) {
        bytes += plain->items[i].entry->bytes;
    }
    return bytes;
}

/* What cache_shrink must leave, and in which order, found before it is called. */
static void plain_shrink(struct plain *plain, size_t bytes_max) {
    size_t bytes = plain_bytes(plain);
    for (size_t looks = 2 * plain->count; looks > 0 && bytes > bytes_max; looks--) {
        bool stays = plain->items[0].used || plain->items[0].entry->pins > 0;
        bytes -= stays ? 0 : plain->items[0].entry->bytes;
        if (stays) {
            plain->items[plain->count] = plain->items[0]; /* there is room for one more */
            plain->items[plain->count++].used = false;
        }
        plain_remove(plain, 0);
    }
}

static struct cache_entry *plain_get(struct plain *plain, struct cache *cache, int32_t task, int id) {
    char text[16];
    snprintf(text, sizeof text, "%d", id % IDS);
    struct cache_entry *entry = get(cache, task, text);
    bool known = false;
    for (size_t i = 0; i < plain->count; i++) {
        if (plain->items[i].task == task && plain->items[i].id == id) {
            assert_ptr_equal(plain->items[i].entry, entry);
            plain->items[i].used = true;
            known = true;
        }
    }
    assert_int_equal(known, entry->customer != NULL); /* one that has left comes back empty */
    if (!known) {
        plain->items[plain->count].task = task;
        plain->items[plain->count].id = id;
        plain->items[plain->count].used = false;
        plain->items[plain->count++].entry = entry;
    }
    return entry;
}

static void what_is_kept_is_what_a_plain_list_keeps(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        size_t bytes_max = (size_t)(4000 + test_random_below(&random, 20000));
        struct cache *cache = created(bytes_max);
        struct plain plain = {.count = 0};
        for (int step = 0; step < 400; step++) {
            int64_t what = test_random_below(&random, 20);
            if (what == 0) {
                int32_t task = (int32_t)test_random_below(&random, TASKS);
                cache_drop_task(cache, task);
                for (size_t i = plain.count; i-- > 0;) {
                    if (plain.items[i].task == task) {
                        plain_remove(&plain, i);
                    }
                }
            } else if (what < 6) {
                plain_shrink(&plain, bytes_max);
                cache_shrink(cache);
            } else if (what < 9 && plain.count > 0) {
                struct cache_entry *entry = plain.items[test_random_below(&random, (int64_t)plain.count)].entry;
                if (entry->pins > 0) {
                    cache_unpin(cache, entry);
                } else {
                    cache_pin(entry);
                }
            } else {
                struct cache_entry *entry = plain_get(&plain, cache, (int32_t)test_random_below(&random, TASKS),
                                                      (int)test_random_below(&random, IDS));
                if (!entry->customer) {
                    fill(cache, entry);
                }
            }
            assert_int_equal(cache_count(cache), plain.count);
            assert_int_equal(cache_bytes(cache), plain_bytes(&plain));
        }
        cache_destroy(cache);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_has_one_entry),
        cmocka_unit_test(tasks_do_not_share_entries),
        cmocka_unit_test(equal_hashes_are_not_equal_ids),
        cmocka_unit_test(the_least_recently_used_leaves_first),
        cmocka_unit_test(pinned_entries_stay),
        cmocka_unit_test(a_shrink_is_short_however_many_are_pinned),
        cmocka_unit_test(a_customer_counts_with_its_size),
        cmocka_unit_test(a_task_goes_with_all_it_has),
        cmocka_unit_test(the_table_grows),
        cmocka_unit_test(what_is_kept_is_what_a_plain_list_keeps),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}
