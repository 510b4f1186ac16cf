/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Follows a file as `tail -F` does: `kqueue-follow FILE` prints what is appended, begins anew when the
 * file is cut short, and goes over to the new file when another one takes its name. */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <err.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kq, file = -1;
static const char *path;

static void watch(int fd, unsigned int notes)
{
    struct kevent change;
    EV_SET(&change, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, notes, 0, NULL);
    if (kevent(kq, &change, 1, NULL, 0, NULL) == -1)
        err(1, "%s", path);
}

/* Prints from where it stopped; from the beginning, if the file is shorter now. */
static void print_news(void)
{
    struct stat status;
    char bytes[8192];
    ssize_t n;

    if (fstat(file, &status) == 0 && status.st_size < lseek(file, 0, SEEK_CUR))
        lseek(file, 0, SEEK_SET);
    while ((n = read(file, bytes, sizeof bytes)) > 0)
        fwrite(bytes, 1, (size_t)n, stdout);
    fflush(stdout);
}

/* Opens what has the name now, if that is another file than before. */
static void look_for_file(void)
{
    struct stat named, open_one;

    if (stat(path, &named) == -1)
        return;
    if (file != -1) {
        if (fstat(file, &open_one) == 0 && open_one.st_ino == named.st_ino)
            return;
        print_news(); /* what came before it was renamed */
        close(file);
    }
    if ((file = open(path, O_RDONLY)) == -1)
        return;
    watch(file, NOTE_WRITE | NOTE_EXTEND | NOTE_DELETE | NOTE_RENAME | NOTE_REVOKE);
    print_news();
}

int main(int argc, char **argv)
{
    struct kevent event;
    char *copy;
    int folder;

    if (argc != 2)
        errx(2, "usage: %s FILE", argv[0]);
    path = argv[1];
    if ((kq = kqueue()) == -1 || (copy = strdup(path)) == NULL)
        err(1, "kqueue");
    if ((folder = open(dirname(copy), O_RDONLY)) == -1)
        err(1, "%s", copy);
    free(copy);
    watch(folder, NOTE_WRITE); /* names come and go in it */
    look_for_file();
    while (kevent(kq, NULL, 0, &event, 1, NULL) == 1) {
        if (event.ident == (uintptr_t)file)
            print_news();
        look_for_file();
    }
    err(1, "kevent");
}
