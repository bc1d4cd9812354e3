/* map_fault - the log's file is read through memory, so a page that the disk does not give ends the process: with
 * words then.
 *
 * Shape    SIGBUS comes where the file was cut short or the disk fails; the process says so and ends with 1, as for
 *          any other damage.
 * Units    none.
 * Errors   none.
 * Owner    process-wide, from map_fault_explain() on.
 */
#ifndef STORE_MAP_FAULT_H
#define STORE_MAP_FAULT_H

void map_fault_explain(void);

#endif
