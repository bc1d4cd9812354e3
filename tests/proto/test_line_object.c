/* Message objects of LINE in definition files: what LINE would refuse is refused with its place, and what it
 * takes becomes JSON of the types that LINE wants, though every scalar of a file is text. */
#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <stdio.h>

/* The JSON of template 0, with a "~" where a value goes in. */
static void
template_json(const struct definitions *definitions, struct buf *out)
{
    const struct template *template = &definitions->templates[0];
    for (uint32_t i = 0; i <= template->insertion_count; i++) {
        buf_append_cstr(out, i == 0 ? "" : "~");
        buf_append_span(out, template->parts[i]);
    }
}

/* One character of a label each, five code points, eight UTF-16 units: 56 of them, and 20 are allowed. */
#define FAMILY "👨‍👩‍👧"
#define SEVEN_FAMILIES FAMILY FAMILY FAMILY FAMILY FAMILY FAMILY FAMILY

static const struct {
    const char *text, *json;
} TAKEN[] = {
    {"templates: {T: {type: text, text: '12'}}\n", "{\"type\":\"text\",\"text\":\"12\"}"},
    {"templates: {T: {type: text, text: 'a{{name}}b'}}\n", "{\"type\":\"text\",\"text\":\"a~b\"}"},
    {"templates: {T: {type: sticker, packageId: 446, stickerId: 1988}}\n",
     "{\"type\":\"sticker\",\"packageId\":\"446\",\"stickerId\":\"1988\"}"},
    {"templates: {T: {type: audio, originalContentUrl: 'https://x/a.m4a', duration: 60000}}\n",
     "{\"type\":\"audio\",\"originalContentUrl\":\"https://x/a.m4a\",\"duration\":60000}"},
    {"templates: {T: {type: location, title: 店, address: 東京, latitude: 35.65910, longitude: "
     "-1}}\n",
     "{\"type\":\"location\",\"title\":\"店\",\"address\":\"東京\",\"latitude\":35.65910,"
     "\"longitude\":-1}"},
    {"templates: {T: {type: flex, altText: 'for {{name}}', contents: {type: bubble, body: {type: "
     "box, "
     "layout: vertical, contents: [{type: text, text: 5, flex: 0, wrap: true, scaling: no}]}}}}\n",
     "{\"type\":\"flex\",\"altText\":\"for "
     "~\",\"contents\":{\"type\":\"bubble\",\"body\":{\"type\":"
     "\"box\",\"layout\":\"vertical\",\"contents\":[{\"type\":\"text\",\"text\":\"5\",\"flex\":0,"
     "\"wrap\":true,\"scaling\":false}]}}}"},
    {"templates: {T: {type: textV2, text: 'hi {who}', substitution: {who: {type: mention, "
     "mentionee: "
     "{type: all}}}}}\n",
     "{\"type\":\"textV2\",\"text\":\"hi {who}\",\"substitution\":{\"who\":{\"type\":\"mention\","
     "\"mentionee\":{\"type\":\"all\"}}}}"},
    {"templates: {T: {type: text, text: '😀$', emojis: [{index: 2, productId: p, emojiId: e}]}}\n",
     "{\"type\":\"text\",\"text\":\"😀$\",\"emojis\":[{\"index\":2,\"productId\":\"p\",\"emojiId\":"
     "\"e\"}]}"},
    {"templates: {T: {type: text, text: x, quickReply: {items: [{type: action, action: "
     "{type: camera, label: " SEVEN_FAMILIES "}}]}}}\n",
     "{\"type\":\"text\",\"text\":\"x\",\"quickReply\":{\"items\":[{\"type\":\"action\","
     "\"action\":{\"type\":\"camera\",\"label\":\"" SEVEN_FAMILIES "\"}}]}}"},
};
enum { TAKEN_COUNT = sizeof(TAKEN) / sizeof(TAKEN[0]) };

START_TEST(an_object_becomes_json_of_the_types_that_line_wants)
{
    struct fixture fixture = compile_text(TAKEN[_i].text);
    ck_assert_str_eq(buf_cstr(&fixture.printed), "");
    ck_assert_int_eq(fixture.rc, RC_OK);
    struct buf json = {0};
    template_json(fixture.definitions, &json);
    ck_assert_str_eq(buf_cstr(&json), TAKEN[_i].json);
    buf_fini(&json);
    fixture_fini(&fixture);
}
END_TEST

#define CONTENTS(inside)                                                                           \
    "templates: {T: {type: flex, altText: x, contents: {type: bubble, body: {type: box, layout: "  \
    "vertical, contents: [" inside "]}}}}\n"
#define TEMPLATE(inside) "templates: {T: {type: template, altText: x, template: {" inside "}}}\n"
#define ACTION "{type: message, label: a, text: a}"

static const struct {
    const char *text, *error; /* the message after "error: " */
} REFUSED[] = {
    {"templates: {T: {type: txet, text: x}}\n",
     "1:23: error: no message of type 'txet' - did you mean 'text'?"},
    {"templates: {T: {type: shout}}\n", "1:23: error: no message of type 'shout'; LINE has text, "
                                        "textV2, sticker, image, video, audio, "
                                        "location, imagemap, template, flex, coupon"},
    {"templates: {T: {type: text, text: x, txet: y}}\n",
     "1:38: error: unknown key 'txet' in message 'text' - did you mean 'text'?"},
    {"templates: {T: {type: text}}\n", "1:16: error: message 'text' needs 'text' (LINE)"},
    {"templates: {T: {type: text, text: ''}}\n", "1:35: error: 'text' is empty; LINE refuses it"},
    {"templates: {T: {type: text, text: [a]}}\n", "1:35: error: 'text' must be a text"},
    {"templates: {T: {type: image, originalContentUrl: 'http://x/', previewImageUrl: "
     "'https://x/'}}\n",
     "1:51: error: not a link; write https://... (LINE)"},
    {"templates: {T: {type: text, text: 'a$', emojis: [{index: 0, productId: p, emojiId: e}]}}\n",
     "1:58: error: no '$' of the text stands at 0"},
    {CONTENTS("{type: text, text: x, flex: 1.5}"),
     "1:141: error: 'flex' is a whole number; '1.5' is none"},
    {CONTENTS("{type: text, text: x, wrap: maybe}"), "1:141: error: 'wrap' is true or false"},
    {CONTENTS("{type: text, text: x, weight: blod}"),
     "1:143: error: 'weight' is never 'blod' - did you mean 'bold'?"},
    {CONTENTS("{type: button, action: {type: uri, label: x, uri: 'ftp://x'}}"),
     "1:164: error: not a link; write https://..., http://..., line:// or tel:"},
    {CONTENTS("{text: x}"),
     "1:113: error: flex component needs 'type': box, button, image, video, icon, text, span, "
     "separator, filler (LINE)"},
    {TEMPLATE("type: confirm, text: x, actions: [" ACTION "]"),
     "1:89: error: 'actions' takes at least 2 (LINE)"},
    {TEMPLATE("type: buttons, text: x, actions: [" ACTION ", " ACTION ", " ACTION ", " ACTION
              ", " ACTION "]"),
     "1:234: error: 'actions' takes at most 4 (LINE)"},
    {TEMPLATE(
         "type: buttons, title: t, text: 1234567890123456789012345678901234567890123456789012345"
         "678901, actions: [" ACTION "]"),
     "1:87: error: 'text' beside a picture or title has at most 60 characters (LINE)"},
    {TEMPLATE("type: carousel, columns: [{text: a, actions: [" ACTION
              "]}, {text: a, title: b, actions: [" ACTION "]}]"),
     "1:140: error: every column has a 'title' or none has (LINE)"},
    {TEMPLATE("type: confirm, text: x, actions: [" ACTION
              ", {type: message, label: 123456789012345678901, text: a}]"),
     "1:149: error: 'label' has 21 characters; LINE takes at most 20"},
    {TEMPLATE("type: confirm, text: x, actions: [" ACTION ", {type: camera, label: x}]"),
     "1:133: error: no template action of type 'camera'; LINE has postback, message, uri, "
     "datetimepicker, clipboard"},
};
enum { REFUSED_COUNT = sizeof(REFUSED) / sizeof(REFUSED[0]) };

START_TEST(what_line_would_refuse_is_refused_with_its_place)
{
    struct fixture fixture = compile_text(REFUSED[_i].text);
    char line[512];
    snprintf(line, sizeof(line), "shop.yaml:%s\n", REFUSED[_i].error);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    ck_assert_msg(strncmp(buf_cstr(&fixture.printed), line, strlen(line)) == 0, "wanted: %sgot: %s",
                  line, buf_cstr(&fixture.printed));
    ck_assert_uint_eq(fixture.diagnostics.error_count, 1);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(a_bubble_of_more_than_30_kilobytes_is_refused)
{
    struct buf text = {0};
    buf_append_cstr(&text, "templates: {T: {type: flex, altText: x, contents: {type: bubble, body: "
                           "{type: box, layout: vertical, contents: [{type: text, text: '");
    for (int i = 0; i < 30000; i++) {
        buf_append_byte(&text, 'a');
    }
    struct buf larger = {0};
    buf_append_span(&larger, buf_span(&text));
    for (int i = 0; i < 1000; i++) {
        buf_append_byte(&larger, 'a');
    }
    buf_append_cstr(&text, "'}]}}}}\n");
    buf_append_cstr(&larger, "'}]}}}}\n");
    struct fixture fits = compile_span(buf_span(&text), NULL);
    struct fixture too_large = compile_span(buf_span(&larger), NULL);
    ck_assert_int_eq(fits.rc, RC_OK);
    ck_assert_int_eq(too_large.rc, RC_INVALID);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&too_large.printed), "LINE takes at most 30720"));
    fixture_fini(&fits);
    fixture_fini(&too_large);
    buf_fini(&text);
    buf_fini(&larger);
}
END_TEST

/* LINE may narrow its limits, and we the table: what runs goes on running. */
START_TEST(what_the_log_holds_is_not_judged_again)
{
    struct fixture fixture = compile_text("templates: {T: {type: text, text: x}}\n");
    ck_assert_int_eq(fixture.rc, RC_OK);
    struct buf canonical = {0};
    struct span before = fixture.definitions->canonical;
    const char *at = memmem(before.data, before.len, "\"text\":\"x\"", 10);
    ck_assert_ptr_nonnull(at);
    size_t head = (size_t)(at - (const char *)before.data);
    buf_append(&canonical, before.data, head);
    buf_append_cstr(&canonical, "\"shout\":\"x\"");
    buf_append(&canonical, before.data + head + 10, before.len - head - 10);
    struct definitions *again = NULL;
    ck_assert_int_eq(definition_from_canonical(buf_span(&canonical), FIXTURE_ZONES, &again), RC_OK);
    struct buf json = {0};
    template_json(again, &json);
    ck_assert_str_eq(buf_cstr(&json), "{\"type\":\"text\",\"shout\":\"x\"}");
    buf_fini(&json);
    buf_fini(&canonical);
    definitions_release(again);
    fixture_fini(&fixture);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("line_object");
    TCase *objects = tcase_create("objects");
    tcase_add_loop_test(objects, an_object_becomes_json_of_the_types_that_line_wants, 0,
                        TAKEN_COUNT);
    tcase_add_loop_test(objects, what_line_would_refuse_is_refused_with_its_place, 0,
                        REFUSED_COUNT);
    tcase_add_test(objects, a_bubble_of_more_than_30_kilobytes_is_refused);
    tcase_add_test(objects, what_the_log_holds_is_not_judged_again);
    suite_add_tcase(suite, objects);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
