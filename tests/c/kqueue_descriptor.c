/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kqueue() gives a descriptor: it is closed, duplicated, polled, nested and forked like any other. */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/event.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct timespec now = {0, 0}, soon = {5, 0};

static int add(int kq, uintptr_t ident, short filter, unsigned int fflags, intptr_t data)
{
    struct kevent change;
    EV_SET(&change, ident, filter, EV_ADD, fflags, data, NULL);
    return kevent(kq, &change, 1, NULL, 0, NULL);
}

static int is_readable(int fd, int timeout_ms)
{
    struct pollfd entry = {fd, POLLIN, 0};
    return poll(&entry, 1, timeout_ms) == 1;
}

static int is_no_queue(int fd)
{
    struct kevent event;
    return kevent(fd, NULL, 0, &event, 1, &now) == -1 && errno == EBADF;
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    REQUIRE(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void a_queue_can_be_polled(void)
{
    struct kevent event;
    int kq = kqueue();
    CHECK(!is_readable(kq, 0));
    EV_SET(&event, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 10, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == 0);
    CHECK(is_readable(kq, 5000));
    CHECK(kevent(kq, NULL, 0, &event, 1, &now) == 1);
    CHECK(!is_readable(kq, 0));
    close(kq);
}

static void queues_nest(void)
{
    struct kevent event;
    int inner = kqueue(), outer = kqueue();
    CHECK(add(outer, (uintptr_t)inner, EVFILT_READ, 0, 0) == 0);
    CHECK(kevent(outer, NULL, 0, &event, 1, &now) == 0 && !is_readable(outer, 0));
    CHECK(add(inner, 7, EVFILT_USER, NOTE_TRIGGER, 0) == 0);
    CHECK(is_readable(outer, 5000));
    CHECK(kevent(outer, NULL, 0, &event, 1, &soon) == 1);
    CHECK(event.ident == (uintptr_t)inner && event.filter == EVFILT_READ && event.data >= 1);
    CHECK(kevent(inner, NULL, 0, &event, 1, &now) == 1 && event.ident == 7);
    CHECK(add(inner, (uintptr_t)inner, EVFILT_READ, 0, 0) == -1 && errno == EINVAL);
    CHECK(add(inner, (uintptr_t)outer, EVFILT_READ, 0, 0) == -1 && errno == ELOOP);
    close(inner);
    CHECK(kevent(outer, NULL, 0, &event, 1, &now) == 0);
    close(outer);
}

static void a_closed_number_is_no_queue(void)
{
    int ends[2], kq = kqueue(), other;
    CHECK(add(kq, 1, EVFILT_USER, NOTE_TRIGGER, 0) == 0);
    close(kq);
    CHECK(is_no_queue(kq));
    REQUIRE(pipe(ends) == 0 && dup2(ends[0], kq) == kq);
    CHECK(is_no_queue(kq));
    other = kqueue();
    CHECK(dup2(other, kq) == kq && !is_no_queue(kq));
    close(other);
    CHECK(!is_no_queue(kq));
    close(kq);
    close(ends[0]);
    close(ends[1]);
}

static void a_duplicate_is_the_same_queue(void)
{
    struct kevent event;
    int kq = kqueue(), twin = dup(kq), later;
    CHECK(add(kq, 5, EVFILT_USER, NOTE_TRIGGER, 0) == 0);
    close(kq);
    later = kqueue(); /* frees what was closed */
    CHECK(kevent(twin, NULL, 0, &event, 1, &now) == 1 && event.ident == 5);
    close(twin);
    close(later);
}

static void queues_are_close_on_exec_unless_told(void)
{
    int kq = kqueue(), inherited = kqueue1(0), told = kqueue1(O_CLOEXEC | O_NONBLOCK);
    int other = kqueuex(0);
    CHECK(fcntl(kq, F_GETFD) == FD_CLOEXEC && fcntl(told, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(inherited, F_GETFD) == 0 && fcntl(other, F_GETFD) == 0);
    close(kq);
    close(inherited);
    close(told);
    close(other);
}

static void closing_frees_everything(void)
{
    int before, i;
    close(kqueue());
    before = open_descriptors();
    for (i = 0; i < 2000; i++) {
        int kq = kqueue();
        REQUIRE(kq >= 0 && add(kq, 1, EVFILT_TIMER, 0, 1000) == 0);
        close(kq);
    }
    CHECK(is_no_queue(-1)); /* frees what was closed */
    CHECK(open_descriptors() <= before);
}

/* The child has none of its parent's queues, and what it does with their numbers stays with it. */
static void a_child_has_no_queue(void)
{
    struct kevent event;
    int status = -1, kq = kqueue(), failed_before = failures;
    pid_t child;
    CHECK(add(kq, 1, EVFILT_USER, 0, 0) == 0);
    child = fork();
    if (child == 0) {
        int own;
        CHECK(fcntl(kq, F_GETFD) == -1 && is_no_queue(kq));
        own = kqueue();
        CHECK(own >= 0 && add(own, 2, EVFILT_USER, NOTE_TRIGGER, 0) == 0);
        CHECK(kevent(own, NULL, 0, &event, 1, &soon) == 1 && event.ident == 2);
        for (own = 3; own < 100; own++)
            close(own);
        _exit(failures > failed_before);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, &now) == 0);
    CHECK(add(kq, 1, EVFILT_USER, NOTE_TRIGGER, 0) == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, &now) == 1 && event.ident == 1);
    close(kq);
}

static void *wait_for_ever(void *kq)
{
    struct kevent event;
    int result = kevent(*(int *)kq, NULL, 0, &event, 1, NULL);
    return (void *)(intptr_t)(result == -1 ? errno : 0);
}

static void closing_ends_the_waits(void)
{
    static const struct timespec while_they_begin = {0, 20000000};
    pthread_t threads[2];
    void *error;
    int i, kq = kqueue(), waiting = kq;
    for (i = 0; i < 2; i++)
        REQUIRE(pthread_create(&threads[i], NULL, wait_for_ever, &waiting) == 0);
    CHECK(nanosleep(&while_they_begin, NULL) == 0);
    close(kq);
    for (i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], &error) == 0);
        CHECK((intptr_t)error == EBADF);
    }
}

int main(void)
{
    a_queue_can_be_polled();
    queues_nest();
    a_closed_number_is_no_queue();
    a_duplicate_is_the_same_queue();
    queues_are_close_on_exec_unless_told();
    closing_frees_everything();
    a_child_has_no_queue();
    closing_ends_the_waits();
    return failures != 0;
}
