/* Zones by name: found, kept, and nothing outside the directory. */
#include "daemon/zones.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct zone *
find(struct zones *zones, const char *name)
{
    struct zone_source source = zones_source(zones);
    return source.lookup(source.context, span_cstr(name));
}

START_TEST(a_zone_is_read_once_and_kept)
{
    struct zones *zones = zones_new("/usr/share/zoneinfo");
    const struct zone *tokyo = find(zones, "Asia/Tokyo");
    ck_assert_ptr_nonnull(tokyo);
    ck_assert_str_eq(tokyo->name, "Asia/Tokyo");
    ck_assert_int_eq(civil_local(tokyo, 0).hour, 9);
    ck_assert_ptr_eq(find(zones, "Asia/Tokyo"), tokyo);
    const struct zone *new_york = find(zones, "America/New_York");
    ck_assert_ptr_nonnull(new_york);
    ck_assert_ptr_ne(new_york, tokyo);
    ck_assert_ptr_eq(find(zones, "Asia/Tokyo"), tokyo);
    zones_free(zones);
}
END_TEST

START_TEST(names_that_are_no_zone_are_not_found)
{
    const char *const bad[] = {"",
                               "Asia/Nowhere",
                               "Asia",
                               "Asia/",
                               "/etc/passwd",
                               "../zoneinfo/Asia/Tokyo",
                               "Asia/../UTC",
                               "/Asia/Tokyo",
                               "zone.tab",
                               "Asia/Tokyo ",
                               "Asia/Tokyo\n/etc",
                               "."};
    struct zones *zones = zones_new("/usr/share/zoneinfo");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(find(zones, bad[i]) == NULL, "\"%s\"", bad[i]);
    }
    struct zone_source source = zones_source(zones);
    ck_assert_ptr_null(source.lookup(source.context, span_of("Asia/Tokyo\0x", 12)));
    zones_free(zones);
}
END_TEST

START_TEST(tzdir_names_the_directory)
{
    char directory[] = "/tmp/zones-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    char path[128];
    snprintf(path, sizeof(path), "%s/Here", directory);
    ck_assert_int_eq(symlink("/usr/share/zoneinfo/Asia/Kathmandu", path), 0);
    char garbage_path[128];
    snprintf(garbage_path, sizeof(garbage_path), "%s/Garbage", directory);
    FILE *garbage = fopen(garbage_path, "w");
    ck_assert_ptr_nonnull(garbage);
    fputs("TZif2 but no more", garbage);
    fclose(garbage);

    setenv("TZDIR", directory, 1);
    struct zones *zones = zones_new(NULL);
    const struct zone *here = find(zones, "Here");
    ck_assert_ptr_null(find(zones, "Garbage"));
    ck_assert_ptr_null(find(zones, "Asia/Tokyo"));
    ck_assert_ptr_nonnull(here);
    ck_assert_int_eq(civil_local(here, INT64_C(1700000000000)).offset_s, 20700);
    zones_free(zones);
    zones_free(NULL);
    unlink(path);
    unlink(garbage_path);
    rmdir(directory);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("zones");
    TCase *tc = tcase_create("zones");
    tcase_add_test(tc, a_zone_is_read_once_and_kept);
    tcase_add_test(tc, names_that_are_no_zone_are_not_found);
    tcase_add_test(tc, tzdir_names_the_directory);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
