/* Which messages LINE takes, and what it says of the others. */
#include "engine/base/buf.h"
#include "tools/fakeline/line_rules.h"

#include <check.h>
#include <stdlib.h>

#define TEXT "{\"type\":\"text\",\"text\":\"a\"}"
#define POSTBACK "{\"type\":\"postback\",\"label\":\"x\",\"data\":\"d\"}"
#define URI "{\"type\":\"uri\",\"label\":\"x\",\"uri\":\"https://example.jp/\"}"

/* "" when the messages are taken, else "property: message" of the first offence. */
static const char *
verdict(const char *messages)
{
    static char text[400];
    json_t *parsed = json_loads(messages, JSON_DECODE_ANY, NULL);
    ck_assert_msg(parsed != NULL, "not JSON: %s", messages);
    json_t *error = line_rules_check(parsed);
    text[0] = '\0';
    if (error != NULL) {
        const json_t *detail = json_array_get(json_object_get(error, "details"), 0);
        ck_assert_ptr_nonnull(detail);
        snprintf(text, sizeof(text), "%s: %s",
                 json_string_value(json_object_get(detail, "property")),
                 json_string_value(json_object_get(detail, "message")));
    }
    json_decref(error);
    json_decref(parsed);
    return text;
}

static const char *const taken[] = {
    "[" TEXT "]",
    "[" TEXT "," TEXT "," TEXT "," TEXT "," TEXT "]",
    "[{\"type\":\"text\",\"text\":\"a\",\"somethingNew\":true}]",
    "[{\"type\":\"textV2\",\"text\":\"{x}\",\"substitution\":{}}]",
    "[{\"type\":\"sticker\",\"packageId\":\"446\",\"stickerId\":\"1988\"}]",
    "[{\"type\":\"image\",\"originalContentUrl\":\"https://e.jp/a.jpg\","
    "\"previewImageUrl\":\"https://e.jp/b.jpg\"}]",
    "[{\"type\":\"video\",\"originalContentUrl\":\"https://e.jp/a.mp4\","
    "\"previewImageUrl\":\"https://e.jp/b.jpg\",\"trackingId\":\"t\"}]",
    "[{\"type\":\"audio\",\"originalContentUrl\":\"https://e.jp/a.m4a\",\"duration\":60000}]",
    "[{\"type\":\"location\",\"title\":\"店\",\"address\":\"東京\",\"latitude\":35.6,"
    "\"longitude\":139.7}]",
    "[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\","
    "\"actions\":[" POSTBACK "," URI "]}}]",
    "[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"confirm\",\"text\":\"t\","
    "\"actions\":[" POSTBACK "," POSTBACK "]}}]",
    "[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"carousel\",\"columns\":["
    "{\"text\":\"t\",\"actions\":[" URI "]},{\"text\":\"u\",\"actions\":[" POSTBACK "]}]}}]",
    "[{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"bubble\"}}]",
    "[{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[{\"type\":\"action\","
    "\"action\":" POSTBACK "}]}}]",
    "[{\"type\":\"text\",\"text\":\"あ😀$\",\"emojis\":[{\"index\":3,\"productId\":\"p\","
    "\"emojiId\":\"e\"}]}]",
    "[{\"type\":\"text\",\"text\":\"a\",\"sender\":{\"name\":\"花\"}}]",
};

START_TEST(sound_messages_are_taken)
{
    ck_assert_str_eq(verdict(taken[_i]), "");
}
END_TEST

static const struct {
    const char *messages, *verdict;
} refused[] = {
    {"null", "messages: May not be empty"},
    {"[]", "messages: Size must be between 1 and 5"},
    {"{}", "messages: Size must be between 1 and 5"},
    {"[" TEXT "," TEXT "," TEXT "," TEXT "," TEXT "," TEXT "]",
     "messages: Size must be between 1 and 5"},
    {"[{\"type\":\"text\"}]", "messages[0].text: May not be empty"},
    {"[{\"type\":\"text\",\"text\":\"\"}]", "messages[0].text: May not be empty"},
    {"[{\"type\":\"text\",\"text\":5}]", "messages[0].text: must be a string"},
    {"[" TEXT ",{\"text\":\"a\"}]", "messages[1].type: must be specified"},
    {"[7]", "messages[0].type: must be specified"},
    {"[{\"type\":\"poem\"}]", "messages[0].type: invalid type"},
    {"[{\"type\":\"text\",\"text\":\"あ😀$\",\"emojis\":[{\"index\":2,\"productId\":\"p\","
     "\"emojiId\":\"e\"}]}]",
     "messages[0].emojis[0]: index does not point at a $"},
    {"[{\"type\":\"text\",\"text\":\"$\",\"emojis\":[{\"index\":1,\"productId\":\"p\","
     "\"emojiId\":\"e\"}]}]",
     "messages[0].emojis[0]: index does not point at a $"},
    {"[{\"type\":\"text\",\"text\":\"$\",\"emojis\":[{\"index\":-1,\"productId\":\"p\","
     "\"emojiId\":\"e\"}]}]",
     "messages[0].emojis[0]: index does not point at a $"},
    {"[{\"type\":\"emoji\"}]", "messages[0].type: invalid type"},
    {"[{\"type\":\"sender\"}]", "messages[0].type: invalid type"},
    {"[{\"type\":\"action.uri\",\"uri\":\"https://e.jp\"}]", "messages[0].type: invalid type"},
    {"[{\"type\":\"sticker\",\"packageId\":\"446\"}]", "messages[0].stickerId: May not be empty"},
    {"[{\"type\":\"image\",\"originalContentUrl\":\"http://e.jp/a\",\"previewImageUrl\":"
     "\"https://e.jp/b\"}]",
     "messages[0].originalContentUrl: invalid uri"},
    {"[{\"type\":\"audio\",\"originalContentUrl\":\"https://e.jp/a\"}]",
     "messages[0].duration: must be specified"},
    {"[{\"type\":\"template\",\"altText\":\"a\"}]", "messages[0].template: must be specified"},
    {"[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"slide\"}}]",
     "messages[0].template.type: invalid type"},
    {"[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"confirm\",\"text\":\"t\","
     "\"actions\":[" POSTBACK "]}}]",
     "messages[0].template: Size must be between 2 and 2"},
    {"[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\","
     "\"actions\":[" URI "," URI "," URI "," URI "," URI "]}}]",
     "messages[0].template.actions: Size must be between 1 and 4"},
    {"[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\","
     "\"actions\":[{\"type\":\"uri\",\"label\":\"x\",\"uri\":\"javascript:1\"}]}}]",
     "messages[0].template.actions[0].uri: invalid uri scheme"},
    {"[{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"carousel\",\"columns\":["
     "{\"text\":\"t\",\"actions\":[" URI "]},{\"text\":\"u\",\"actions\":[" URI "," URI "]}]}}]",
     "messages[0].template.columns[1]: the number of actions must be the same in all columns"},
    {"[{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"box\"}}]",
     "messages[0].contents: must be a bubble or a carousel"},
    {"[{\"type\":\"flex\",\"contents\":{\"type\":\"bubble\"}}]",
     "messages[0].altText: May not be empty"},
    {"[{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[]}}]",
     "messages[0].quickReply.items: Size must be between 1 and 13"},
    {"[{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[{\"type\":\"action\","
     "\"action\":{\"type\":\"message\",\"label\":\"x\"}}]}}]",
     "messages[0].quickReply.items[0].action.text: May not be empty"},
};

START_TEST(unsound_messages_are_refused_with_their_place)
{
    ck_assert_str_eq(verdict(refused[_i].messages), refused[_i].verdict);
}
END_TEST

/* A text message of count copies of character. */
static const char *
verdict_of_text(const char *character, size_t count)
{
    struct buf json = {0};
    buf_append_cstr(&json, "[{\"type\":\"text\",\"text\":\"");
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(&json, character);
    }
    buf_append_cstr(&json, "\"}]");
    const char *text = verdict(buf_cstr(&json));
    buf_fini(&json);
    return text;
}

START_TEST(text_is_measured_in_utf16_units)
{
    const char *too_long = "messages[0].text: Length must be between 0 and 5000";
    ck_assert_str_eq(verdict_of_text("a", 5000), "");
    ck_assert_str_eq(verdict_of_text("a", 5001), too_long);
    ck_assert_str_eq(verdict_of_text("あ", 5000), "");
    ck_assert_str_eq(verdict_of_text("あ", 5001), too_long);
    ck_assert_str_eq(verdict_of_text("😀", 2500), "");
    ck_assert_str_eq(verdict_of_text("😀", 2501), too_long);
}
END_TEST

START_TEST(label_is_measured_as_people_see_it)
{
    ck_assert_uint_eq(grapheme_clusters(""), 0);
    ck_assert_uint_eq(grapheme_clusters("予約"), 2);
    ck_assert_uint_eq(grapheme_clusters("👨‍👩‍👧"), 1);
    ck_assert_uint_eq(utf16_units("👨‍👩‍👧"), 8);
    ck_assert_uint_eq(grapheme_clusters("e\xcc\x81"), 1); /* e and a combining accent */
}
END_TEST

START_TEST(every_offence_is_listed)
{
    json_t *messages = json_loads("[{\"type\":\"sticker\"},{\"type\":\"poem\"}]", 0, NULL);
    json_t *error = line_rules_check(messages);
    ck_assert_str_eq(json_string_value(json_object_get(error, "message")),
                     "The request body has 3 error(s)");
    ck_assert_uint_eq(json_array_size(json_object_get(error, "details")), 3);
    json_decref(error);
    json_decref(messages);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("fakeline rules");
    TCase *tcase = tcase_create("rules");
    tcase_add_loop_test(tcase, sound_messages_are_taken, 0,
                        (int)(sizeof(taken) / sizeof(taken[0])));
    tcase_add_loop_test(tcase, unsound_messages_are_refused_with_their_place, 0,
                        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tcase, text_is_measured_in_utf16_units);
    tcase_add_test(tcase, label_is_measured_as_people_see_it);
    tcase_add_test(tcase, every_offence_is_listed);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
