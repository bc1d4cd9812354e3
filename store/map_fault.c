#include "store/map_fault.h"

#include <signal.h>
#include <unistd.h>

static void
on_bus_error(int number)
{
    static const char WORDS[] =
        "a page of the log cannot be read: log/data.mdb was cut short, or its disk is failing. "
        "Nothing was changed; 'steplog verify' on a copy says how far it is good, a backup "
        "restores it\n";
    (void)number;
    (void)!write(STDERR_FILENO, WORDS, sizeof(WORDS) - 1);
    _exit(1);
}

void
map_fault_explain(void)
{
    const struct sigaction action = {.sa_handler = on_bus_error};
    (void)sigaction(SIGBUS, &action, NULL);
}
