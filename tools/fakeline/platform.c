#include "tools/fakeline/platform.h"

void
platform_init(struct platform *platform, uint64_t run)
{
    *platform = (struct platform){
        .secret = "fakeline-secret",
        .bot_user_id = "Ufa4e0000000000000000000000000b07",
        .ids = {.run = run},
        .users = users_new(),
        .tokens = tokens_new(),
        .faults = faults_new(),
        .accepted = accepted_new(),
    };
}

void
platform_fini(struct platform *platform)
{
    users_free(platform->users);
    tokens_free(platform->tokens);
    faults_free(platform->faults);
    accepted_free(platform->accepted);
    rows_fini(&platform->requests);
    *platform = (struct platform){0};
}

void
platform_reset(struct platform *platform)
{
    users_clear(platform->users);
    tokens_clear(platform->tokens);
    faults_clear(platform->faults);
    accepted_clear(platform->accepted);
    rows_clear(&platform->requests);
}
