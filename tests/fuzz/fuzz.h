/* fuzz - what one fuzz target is: any bytes go in, and nothing but an answer comes out.
 *
 * Shape    each tests/fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput() for one decoder. Under ./dev fuzz
 *          libFuzzer drives it; in ./dev test tests/fuzz/replay.c does, with the files of
 *          tests/fuzz/corpus/NAME and some seeded changes of each. What a target promises beyond "no
 *          harm" (it comes back the same, it is refused) is asserted in it.
 * Units    bytes.
 * Errors   a crash, a sanitizer's word or an assertion is a finding.
 * Owner    the bytes are the driver's; a target keeps nothing between calls.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
