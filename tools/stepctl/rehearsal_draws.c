/* `draws:` of a rehearsal: what the random source will say (LANGUAGE 13). */
#include "proto/words.h"
#include "tools/stepctl/rehearsal_run.h"

bool
rehearsal_draw(const struct rehearsal_draws *draws, uint32_t *taken, const struct draw *question,
               int64_t *out_answer, const struct yaml_node **out_item)
{
    int64_t number = 0;
    *out_item = *taken < draws->count ? draws->items[*taken] : NULL;
    *out_answer = question->kind == DRAW_NUMBER ? question->low : 0;
    if (*out_item == NULL) {
        return false;
    }
    (*taken)++;
    struct span said = (*out_item)->text;
    if (question->kind == DRAW_WORD) {
        for (uint32_t i = 0; i < question->count; i++) {
            if (span_equal(said, question->words[i])) {
                *out_answer = i;
                return true;
            }
        }
        return false;
    }
    bool is_case = question->kind == DRAW_CASE; /* cases are counted from 1 */
    int64_t low = is_case ? 1 : question->low;
    int64_t high = is_case ? (int64_t)question->count : question->high;
    if (!words_number(said, &number) || number < low || number > high) {
        return false;
    }
    *out_answer = is_case ? number - 1 : number;
    return true;
}
