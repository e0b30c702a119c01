/* Makes fsync and fdatasync fail with EIO as soon as a trigger file exists.
 *
 * Preloaded into the server by tests/torture/test_failing_fsync.py; the file is named by
 * FAILING_FSYNC_TRIGGER.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void)
{
    const char *trigger = getenv("FAILING_FSYNC_TRIGGER");
    return trigger != NULL && access(trigger, F_OK) == 0;
}

static int perform(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fsync(int fd) { return perform("fsync", fd); }
int fdatasync(int fd) { return perform("fdatasync", fd); }
