/* unborn - a data file whose making was cut short before anything was ever committed to it.
 *
 * Shape    LMDB writes two pages at once when it makes a file, and refuses a file that has only a part of them,
 *          as a power cut may leave it. Such a file is emptied, and so made anew; one that bears the mark of
 *          any commit is never touched.
 * Units    pages of the system.
 * Errors   none: what cannot be read or emptied is left to LMDB to complain about.
 * Owner    the file at the path, which no other process has open: the caller holds the claim.
 */
#ifndef STORE_UNBORN_H
#define STORE_UNBORN_H

void unborn_clear(const char *data_file);

#endif
