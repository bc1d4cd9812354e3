#include "proto/line_object.h"

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))
#define KIND(id, text)                                                                             \
    static const struct line_kind id = {text, id##_properties, COUNT(id##_properties)}

enum {
    URL_MAX = 2000,
    TEXT_MAX = 5000,
    ALT_TEXT_MAX = 1500,
    DATA_MAX = 300,
    ACTION_URI_MAX = 1000
};

/* ---- actions: the same kinds, with other labels and in other places ---- */

static const struct line_property postback_properties[] = {
    {"data", LINE_TEXT, true, 0, DATA_MAX, NULL},
    {"displayText", LINE_LABEL, false, 0, DATA_MAX, NULL},
    {"text", LINE_LABEL, false, 0, DATA_MAX, NULL},
    {"inputOption", LINE_WORD, false, 0, 0, "closeRichMenu|openRichMenu|openKeyboard|openVoice"},
    {"fillInText", LINE_LABEL, false, 0, DATA_MAX, NULL}};
static const struct line_property message_action_properties[] = {
    {"text", LINE_LABEL, true, 0, 300, NULL}};
static const struct line_property uri_properties[] = {
    {"uri", LINE_URI, true, 0, ACTION_URI_MAX, NULL},
    {"altUri", LINE_OBJECT, false, 0, 0, "other uri"}};
static const struct line_property datetimepicker_properties[] = {
    {"data", LINE_TEXT, true, 0, DATA_MAX, NULL},
    {"mode", LINE_WORD, true, 0, 0, "date|time|datetime"},
    {"initial", LINE_TEXT, false, 0, 0, NULL},
    {"max", LINE_TEXT, false, 0, 0, NULL},
    {"min", LINE_TEXT, false, 0, 0, NULL}};
static const struct line_property clipboard_properties[] = {
    {"clipboardText", LINE_TEXT, true, 1, 1000, NULL}};
static const struct line_property richmenuswitch_properties[] = {
    {"richMenuAliasId", LINE_TEXT, true, 0, 32, NULL},
    {"data", LINE_TEXT, true, 0, DATA_MAX, NULL}};

KIND(postback, "postback");
KIND(message_action, "message");
KIND(uri, "uri");
KIND(datetimepicker, "datetimepicker");
KIND(clipboard, "clipboard");
KIND(richmenuswitch, "richmenuswitch");
static const struct line_kind camera = {"camera", NULL, 0};
static const struct line_kind camera_roll = {"cameraRoll", NULL, 0};
static const struct line_kind location_action = {"location", NULL, 0};

static const struct line_kind *const actions[] = {&postback, &message_action, &uri, &datetimepicker,
                                                  &clipboard};
static const struct line_kind *const quick_actions[] = {&postback,       &message_action, &uri,
                                                        &datetimepicker, &clipboard,      &camera,
                                                        &camera_roll,    &location_action};
static const struct line_kind *const menu_actions[] = {
    &postback, &message_action, &uri, &datetimepicker, &clipboard, &richmenuswitch};

static const struct line_property label_20[] = {{"label", LINE_LABEL, true, 0, 20, NULL}};
static const struct line_property label_20_or_none[] = {{"label", LINE_LABEL, false, 0, 20, NULL}};
static const struct line_property label_12_or_none[] = {{"label", LINE_LABEL, false, 0, 12, NULL}};
static const struct line_property label_40[] = {{"label", LINE_LABEL, true, 0, 40, NULL}};
static const struct line_property label_40_or_none[] = {{"label", LINE_LABEL, false, 0, 40, NULL}};

static const struct line_property other_uri_properties[] = {
    {"desktop", LINE_URI, false, 0, ACTION_URI_MAX, NULL}};
KIND(other_uri, NULL);

/* ---- quick replies, sender, emojis, mentions ---- */

static const struct line_property quick_reply_properties[] = {
    {"items", LINE_LIST, true, 1, 13, "quick reply item"}};
static const struct line_property quick_reply_item_properties[] = {
    {"imageUrl", LINE_HTTPS, false, 0, URL_MAX, NULL},
    {"action", LINE_OBJECT, true, 0, 0, "quick reply action"}};
static const struct line_property sender_properties[] = {
    {"name", LINE_TEXT, false, 0, 20, NULL}, {"iconUrl", LINE_HTTPS, false, 0, URL_MAX, NULL}};
static const struct line_property emoji_properties[] = {{"index", LINE_WHOLE, true, 0, 0, NULL},
                                                        {"productId", LINE_TEXT, true, 0, 0, NULL},
                                                        {"emojiId", LINE_TEXT, true, 0, 0, NULL}};
static const struct line_property mention_properties[] = {
    {"mentionee", LINE_OBJECT, true, 0, 0, "mentionee"}};
static const struct line_property emoji_place_properties[] = {
    {"productId", LINE_TEXT, true, 0, 0, NULL}, {"emojiId", LINE_TEXT, true, 0, 0, NULL}};
static const struct line_property mentioned_user_properties[] = {
    {"userId", LINE_TEXT, true, 0, 0, NULL}};
KIND(quick_reply, NULL);
KIND(quick_reply_item, "action");
KIND(sender, NULL);
KIND(emoji, NULL);
KIND(mention, "mention");
KIND(emoji_place, "emoji");
KIND(mentioned_user, "user");
static const struct line_kind mentioned_all = {"all", NULL, 0};

/* ---- messages ---- */

static const struct line_property of_every_message[] = {
    {"quickReply", LINE_OBJECT, false, 0, 0, "quick reply"},
    {"sender", LINE_OBJECT, false, 0, 0, "sender"}};
static const struct line_property text_properties[] = {
    {"text", LINE_TEXT, true, 1, TEXT_MAX, NULL},
    {"emojis", LINE_LIST, false, 0, 20, "emoji"},
    {"quoteToken", LINE_TEXT, false, 0, 0, NULL}};
static const struct line_property text_v2_properties[] = {
    {"text", LINE_TEXT, true, 1, TEXT_MAX, NULL},
    {"substitution", LINE_MAP, false, 0, 100, "substitution"},
    {"quoteToken", LINE_TEXT, false, 0, 0, NULL}};
static const struct line_property sticker_properties[] = {
    {"packageId", LINE_TEXT, true, 1, 0, NULL},
    {"stickerId", LINE_TEXT, true, 1, 0, NULL},
    {"quoteToken", LINE_TEXT, false, 0, 0, NULL}};
static const struct line_property image_properties[] = {
    {"originalContentUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"previewImageUrl", LINE_HTTPS, true, 0, URL_MAX, NULL}};
static const struct line_property video_properties[] = {
    {"originalContentUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"previewImageUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"trackingId", LINE_TEXT, false, 0, 100, NULL}};
static const struct line_property audio_properties[] = {
    {"originalContentUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"duration", LINE_WHOLE, true, 0, 0, NULL}};
static const struct line_property location_properties[] = {
    {"title", LINE_TEXT, true, 1, 100, NULL},
    {"address", LINE_TEXT, true, 1, 100, NULL},
    {"latitude", LINE_DECIMAL, true, 0, 0, NULL},
    {"longitude", LINE_DECIMAL, true, 0, 0, NULL}};
static const struct line_property imagemap_properties[] = {
    {"baseUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"altText", LINE_TEXT, true, 1, ALT_TEXT_MAX, NULL},
    {"baseSize", LINE_OBJECT, true, 0, 0, "base size"},
    {"actions", LINE_LIST, true, 0, 50, "imagemap action"},
    {"video", LINE_OBJECT, false, 0, 0, "imagemap video"}};
static const struct line_property template_properties[] = {
    {"altText", LINE_TEXT, true, 1, ALT_TEXT_MAX, NULL},
    {"template", LINE_OBJECT, true, 0, 0, "template"}};
static const struct line_property flex_properties[] = {
    {"altText", LINE_TEXT, true, 1, ALT_TEXT_MAX, NULL},
    {"contents", LINE_OBJECT, true, 0, 0, "flex container"}};
static const struct line_property coupon_properties[] = {
    {"couponId", LINE_TEXT, true, 1, 0, NULL}, {"deliveryTag", LINE_TEXT, false, 0, 30, NULL}};
KIND(text, "text");
KIND(text_v2, "textV2");
KIND(sticker, "sticker");
KIND(image, "image");
KIND(video, "video");
KIND(audio, "audio");
KIND(location, "location");
KIND(imagemap, "imagemap");
KIND(template, "template");
KIND(flex, "flex");
KIND(coupon, "coupon");

/* ---- imagemaps ---- */

static const struct line_property base_size_properties[] = {
    {"width", LINE_WHOLE, true, 0, 0, NULL}, {"height", LINE_WHOLE, true, 0, 0, NULL}};
static const struct line_property area_properties[] = {{"x", LINE_WHOLE, true, 0, 0, NULL},
                                                       {"y", LINE_WHOLE, true, 0, 0, NULL},
                                                       {"width", LINE_WHOLE, true, 0, 0, NULL},
                                                       {"height", LINE_WHOLE, true, 0, 0, NULL}};
static const struct line_property of_every_imagemap_action[] = {
    {"area", LINE_OBJECT, true, 0, 0, "area"}, {"label", LINE_TEXT, false, 0, 100, NULL}};
static const struct line_property imagemap_message_properties[] = {
    {"text", LINE_TEXT, true, 1, 400, NULL}};
static const struct line_property imagemap_uri_properties[] = {
    {"linkUri", LINE_URI, true, 0, ACTION_URI_MAX, NULL}};
static const struct line_property imagemap_video_properties[] = {
    {"originalContentUrl", LINE_HTTPS, false, 0, URL_MAX, NULL},
    {"previewImageUrl", LINE_HTTPS, false, 0, URL_MAX, NULL},
    {"area", LINE_OBJECT, false, 0, 0, "area"},
    {"externalLink", LINE_OBJECT, false, 0, 0, "external link"}};
static const struct line_property external_link_properties[] = {
    {"linkUri", LINE_URI, false, 0, ACTION_URI_MAX, NULL},
    {"label", LINE_TEXT, false, 0, 30, NULL}};
KIND(base_size, NULL);
KIND(area, NULL);
KIND(imagemap_message, "message");
KIND(imagemap_uri, "uri");
static const struct line_kind imagemap_clipboard = {"clipboard", clipboard_properties, 1};
KIND(imagemap_video, NULL);
KIND(external_link, NULL);

/* ---- templates ---- */

#define PICTURE_STYLE                                                                              \
    {"imageAspectRatio", LINE_WORD, false, 0, 0, "rectangle|square"},                              \
    {                                                                                              \
        "imageSize", LINE_WORD, false, 0, 0, "cover|contain"                                       \
    }
static const struct line_property buttons_properties[] = {
    {"thumbnailImageUrl", LINE_HTTPS, false, 0, URL_MAX, NULL},
    PICTURE_STYLE,
    {"imageBackgroundColor", LINE_TEXT, false, 0, 0, NULL},
    {"title", LINE_LABEL, false, 0, 40, NULL},
    {"text", LINE_LABEL, true, 1, 160, NULL},
    {"defaultAction", LINE_OBJECT, false, 0, 0, "default action"},
    {"actions", LINE_LIST, true, 1, 4, "template action"}};
static const struct line_property confirm_properties[] = {
    {"text", LINE_LABEL, true, 1, 240, NULL},
    {"actions", LINE_LIST, true, 2, 2, "template action"}};
static const struct line_property carousel_properties[] = {
    {"columns", LINE_LIST, true, 1, 10, "carousel column"}, PICTURE_STYLE};
static const struct line_property image_carousel_properties[] = {
    {"columns", LINE_LIST, true, 1, 10, "image column"}};
static const struct line_property carousel_column_properties[] = {
    {"thumbnailImageUrl", LINE_HTTPS, false, 0, URL_MAX, NULL},
    {"imageBackgroundColor", LINE_TEXT, false, 0, 0, NULL},
    {"title", LINE_LABEL, false, 0, 40, NULL},
    {"text", LINE_LABEL, true, 1, 120, NULL},
    {"defaultAction", LINE_OBJECT, false, 0, 0, "default action"},
    {"actions", LINE_LIST, true, 1, 3, "template action"}};
static const struct line_property image_column_properties[] = {
    {"imageUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"action", LINE_OBJECT, true, 0, 0, "image action"}};
KIND(buttons, "buttons");
KIND(confirm, "confirm");
KIND(carousel, "carousel");
KIND(image_carousel, "image_carousel");
KIND(carousel_column, NULL);
KIND(image_column, NULL);

/* ---- flex ---- */

#define FLEX_PLACE                                                                                 \
    {"margin", LINE_TEXT, false, 0, 0, NULL},                                                      \
        {"position", LINE_WORD, false, 0, 0, "relative|absolute"},                                 \
        {"offsetTop", LINE_TEXT, false, 0, 0, NULL},                                               \
        {"offsetBottom", LINE_TEXT, false, 0, 0, NULL},                                            \
        {"offsetStart", LINE_TEXT, false, 0, 0, NULL},                                             \
    {                                                                                              \
        "offsetEnd", LINE_TEXT, false, 0, 0, NULL                                                  \
    }
#define FLEX_LETTERS                                                                               \
    {"text", LINE_TEXT, false, 0, 0, NULL}, {"size", LINE_TEXT, false, 0, 0, NULL},                \
        {"color", LINE_TEXT, false, 0, 0, NULL},                                                   \
        {"weight", LINE_WORD, false, 0, 0, "regular|bold"},                                        \
        {"style", LINE_WORD, false, 0, 0, "normal|italic"},                                        \
    {                                                                                              \
        "decoration", LINE_WORD, false, 0, 0, "none|underline|line-through"                        \
    }
static const struct line_property bubble_properties[] = {
    {"direction", LINE_WORD, false, 0, 0, "ltr|rtl"},
    {"styles", LINE_OBJECT, false, 0, 0, "bubble styles"},
    {"header", LINE_OBJECT, false, 0, 0, "flex box"},
    {"hero", LINE_OBJECT, false, 0, 0, "flex component"},
    {"body", LINE_OBJECT, false, 0, 0, "flex box"},
    {"footer", LINE_OBJECT, false, 0, 0, "flex box"},
    {"size", LINE_WORD, false, 0, 0, "nano|micro|deca|hecto|kilo|mega|giga"},
    {"action", LINE_OBJECT, false, 0, 0, "flex action"}};
static const struct line_property bubbles_properties[] = {
    {"contents", LINE_LIST, true, 1, 12, "flex bubble"}};
static const struct line_property bubble_styles_properties[] = {
    {"header", LINE_OBJECT, false, 0, 0, "block style"},
    {"hero", LINE_OBJECT, false, 0, 0, "block style"},
    {"body", LINE_OBJECT, false, 0, 0, "block style"},
    {"footer", LINE_OBJECT, false, 0, 0, "block style"}};
static const struct line_property block_style_properties[] = {
    {"backgroundColor", LINE_TEXT, false, 0, 0, NULL},
    {"separator", LINE_YES_NO, false, 0, 0, NULL},
    {"separatorColor", LINE_TEXT, false, 0, 0, NULL}};
static const struct line_property box_properties[] = {
    {"layout", LINE_WORD, true, 0, 0, "horizontal|vertical|baseline"},
    {"flex", LINE_WHOLE, false, 0, 0, NULL},
    {"contents", LINE_LIST, true, 0, 0, "flex component"},
    {"spacing", LINE_TEXT, false, 0, 0, NULL},
    FLEX_PLACE,
    {"backgroundColor", LINE_TEXT, false, 0, 0, NULL},
    {"borderColor", LINE_TEXT, false, 0, 0, NULL},
    {"borderWidth", LINE_TEXT, false, 0, 0, NULL},
    {"cornerRadius", LINE_TEXT, false, 0, 0, NULL},
    {"width", LINE_TEXT, false, 0, 0, NULL},
    {"maxWidth", LINE_TEXT, false, 0, 0, NULL},
    {"height", LINE_TEXT, false, 0, 0, NULL},
    {"maxHeight", LINE_TEXT, false, 0, 0, NULL},
    {"paddingAll", LINE_TEXT, false, 0, 0, NULL},
    {"paddingTop", LINE_TEXT, false, 0, 0, NULL},
    {"paddingBottom", LINE_TEXT, false, 0, 0, NULL},
    {"paddingStart", LINE_TEXT, false, 0, 0, NULL},
    {"paddingEnd", LINE_TEXT, false, 0, 0, NULL},
    {"action", LINE_OBJECT, false, 0, 0, "flex action"},
    {"justifyContent", LINE_WORD, false, 0, 0,
     "center|flex-start|flex-end|space-between|space-around|space-evenly"},
    {"alignItems", LINE_WORD, false, 0, 0, "center|flex-start|flex-end"},
    {"background", LINE_OBJECT, false, 0, 0, "flex background"}};
static const struct line_property flex_button_properties[] = {
    {"flex", LINE_WHOLE, false, 0, 0, NULL},
    {"color", LINE_TEXT, false, 0, 0, NULL},
    {"style", LINE_WORD, false, 0, 0, "primary|secondary|link"},
    {"action", LINE_OBJECT, true, 0, 0, "button action"},
    {"gravity", LINE_WORD, false, 0, 0, "top|bottom|center"},
    FLEX_PLACE,
    {"height", LINE_WORD, false, 0, 0, "md|sm"},
    {"adjustMode", LINE_WORD, false, 0, 0, "shrink-to-fit"},
    {"scaling", LINE_YES_NO, false, 0, 0, NULL}};
static const struct line_property flex_image_properties[] = {
    {"url", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"flex", LINE_WHOLE, false, 0, 0, NULL},
    FLEX_PLACE,
    {"align", LINE_WORD, false, 0, 0, "start|end|center"},
    {"gravity", LINE_WORD, false, 0, 0, "top|bottom|center"},
    {"size", LINE_TEXT, false, 0, 0, NULL},
    {"aspectRatio", LINE_TEXT, false, 0, 0, NULL},
    {"aspectMode", LINE_WORD, false, 0, 0, "fit|cover"},
    {"backgroundColor", LINE_TEXT, false, 0, 0, NULL},
    {"action", LINE_OBJECT, false, 0, 0, "flex action"},
    {"animated", LINE_YES_NO, false, 0, 0, NULL}};
static const struct line_property flex_video_properties[] = {
    {"url", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"previewUrl", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"altContent", LINE_OBJECT, true, 0, 0, "flex component"},
    {"aspectRatio", LINE_TEXT, false, 0, 0, NULL},
    {"action", LINE_OBJECT, false, 0, 0, "flex action"}};
static const struct line_property flex_icon_properties[] = {
    {"url", LINE_HTTPS, true, 0, URL_MAX, NULL},
    {"size", LINE_TEXT, false, 0, 0, NULL},
    {"aspectRatio", LINE_TEXT, false, 0, 0, NULL},
    FLEX_PLACE,
    {"scaling", LINE_YES_NO, false, 0, 0, NULL}};
static const struct line_property flex_text_properties[] = {
    FLEX_LETTERS,
    {"flex", LINE_WHOLE, false, 0, 0, NULL},
    {"align", LINE_WORD, false, 0, 0, "start|end|center"},
    {"gravity", LINE_WORD, false, 0, 0, "top|bottom|center"},
    {"wrap", LINE_YES_NO, false, 0, 0, NULL},
    {"lineSpacing", LINE_TEXT, false, 0, 0, NULL},
    FLEX_PLACE,
    {"action", LINE_OBJECT, false, 0, 0, "flex action"},
    {"maxLines", LINE_WHOLE, false, 0, 0, NULL},
    {"contents", LINE_LIST, false, 0, 0, "flex span"},
    {"adjustMode", LINE_WORD, false, 0, 0, "shrink-to-fit"},
    {"scaling", LINE_YES_NO, false, 0, 0, NULL}};
static const struct line_property flex_span_properties[] = {FLEX_LETTERS};
static const struct line_property separator_properties[] = {
    {"margin", LINE_TEXT, false, 0, 0, NULL}, {"color", LINE_TEXT, false, 0, 0, NULL}};
static const struct line_property filler_properties[] = {{"flex", LINE_WHOLE, false, 0, 0, NULL}};
static const struct line_property gradient_properties[] = {
    {"angle", LINE_TEXT, false, 0, 0, NULL},
    {"startColor", LINE_TEXT, false, 0, 0, NULL},
    {"endColor", LINE_TEXT, false, 0, 0, NULL},
    {"centerColor", LINE_TEXT, false, 0, 0, NULL},
    {"centerPosition", LINE_TEXT, false, 0, 0, NULL}};
KIND(bubble, "bubble");
KIND(bubbles, "carousel");
KIND(bubble_styles, NULL);
KIND(block_style, NULL);
KIND(box, "box");
KIND(flex_button, "button");
KIND(flex_image, "image");
KIND(flex_video, "video");
KIND(flex_icon, "icon");
KIND(flex_text, "text");
KIND(flex_span, "span");
KIND(separator, "separator");
KIND(filler, "filler");
KIND(gradient, "linearGradient");

/* ---- families ---- */

#define KINDS(...)                                                                                 \
    (const struct line_kind *const[])                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define FAMILY(name, ...)                                                                          \
    {                                                                                              \
        name, NULL, 0, KINDS(__VA_ARGS__), COUNT(KINDS(__VA_ARGS__))                               \
    }
#define ACTIONS(name, label, kinds)                                                                \
    {                                                                                              \
        name, label, COUNT(label), kinds, COUNT(kinds)                                             \
    }

static const struct line_family families[] = {
    {"message", of_every_message, COUNT(of_every_message),
     KINDS(&text, &text_v2, &sticker, &image, &video, &audio, &location, &imagemap, &template,
           &flex, &coupon),
     11},
    FAMILY("quick reply", &quick_reply),
    FAMILY("quick reply item", &quick_reply_item),
    FAMILY("sender", &sender),
    FAMILY("emoji", &emoji),
    FAMILY("substitution", &mention, &emoji_place),
    FAMILY("mentionee", &mentioned_user, &mentioned_all),
    ACTIONS("quick reply action", label_20, quick_actions),
    ACTIONS("template action", label_20, actions),
    ACTIONS("default action", label_20_or_none, actions),
    ACTIONS("image action", label_12_or_none, actions),
    ACTIONS("button action", label_40, actions),
    ACTIONS("flex action", label_40_or_none, actions),
    ACTIONS("menu action", label_20_or_none, menu_actions),
    FAMILY("other uri", &other_uri),
    FAMILY("base size", &base_size),
    FAMILY("area", &area),
    {"imagemap action", of_every_imagemap_action, COUNT(of_every_imagemap_action),
     KINDS(&imagemap_message, &imagemap_uri, &imagemap_clipboard), 3},
    FAMILY("imagemap video", &imagemap_video),
    FAMILY("external link", &external_link),
    FAMILY("template", &buttons, &confirm, &carousel, &image_carousel),
    FAMILY("carousel column", &carousel_column),
    FAMILY("image column", &image_column),
    FAMILY("flex container", &bubble, &bubbles),
    FAMILY("flex bubble", &bubble),
    FAMILY("bubble styles", &bubble_styles),
    FAMILY("block style", &block_style),
    FAMILY("flex box", &box),
    FAMILY("flex component", &box, &flex_button, &flex_image, &flex_video, &flex_icon, &flex_text,
           &flex_span, &separator, &filler),
    FAMILY("flex span", &flex_span),
    FAMILY("flex background", &gradient),
};

const struct line_family *
line_family_at(uint32_t index)
{
    return index < COUNT(families) ? &families[index] : NULL;
}

const struct line_family *
line_family_find(const char *name)
{
    for (uint32_t i = 0; i < COUNT(families); i++) {
        if (strcmp(families[i].name, name) == 0) {
            return &families[i];
        }
    }
    return NULL;
}

const struct line_kind *
line_kind_find(const struct line_family *family, struct span type)
{
    for (uint32_t i = 0; i < family->kind_count; i++) {
        const char *own = family->kinds[i]->type;
        if (own == NULL || span_equal_cstr(type, own)) {
            return family->kinds[i];
        }
    }
    return NULL;
}

const struct line_property *
line_property_at(const struct line_family *family, const struct line_kind *kind, uint32_t index)
{
    if (index < kind->property_count) {
        return &kind->properties[index];
    }
    index -= kind->property_count;
    return index < family->common_count ? &family->common[index] : NULL;
}

const struct line_property *
line_property_find(const struct line_family *family, const struct line_kind *kind, struct span name)
{
    const struct line_property *property;
    for (uint32_t i = 0; (property = line_property_at(family, kind, i)) != NULL; i++) {
        if (span_equal_cstr(name, property->name)) {
            return property;
        }
    }
    return NULL;
}
