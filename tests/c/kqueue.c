/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* <sys/event.h>: what it defines, and the rules of kevent() that the conformance table cannot see. */
#include "check.h"
#include <limits.h>
#include <sys/event.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct timespec now = {0, 0}, soon = {5, 0};

static int counted;

static struct kevent *count(struct kevent *event)
{
    counted++;
    return event;
}

static void the_struct_has_six_fields(void)
{
    size_t word = sizeof(void *);
    CHECK(offsetof(struct kevent, filter) == word);
    CHECK(offsetof(struct kevent, flags) == word + 2);
    CHECK(offsetof(struct kevent, fflags) == word + 4);
    CHECK(offsetof(struct kevent, data) == word + 8);
    CHECK(offsetof(struct kevent, udata) == 2 * word + 8);
    CHECK(sizeof(struct kevent) == 3 * word + 8);
}

static void ev_set_takes_what_the_bsds_take(void)
{
    struct kevent event;
    int fd = 3, word = -1;
    unsigned char small = 7;
    const char *text = "text";

    EV_SET(count(&event), fd++, EVFILT_READ, EV_ADD, 0, 0, text);
    CHECK(counted == 1 && fd == 4);
    CHECK(event.ident == 3 && event.filter == EVFILT_READ && event.flags == EV_ADD);
    CHECK(event.fflags == 0 && event.data == 0 && event.udata == (const void *)text);
    EV_SET(&event, (uintptr_t)&word, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_FFCOPY | 5, word, small);
    CHECK(event.ident == (uintptr_t)&word && event.data == -1 && event.udata == (void *)7);
    EV_SET(&event, 1, EVFILT_TIMER, EV_ADD, NOTE_MSECONDS | NOTE_ABSTIME, LONG_MAX, NULL);
    CHECK(event.data == LONG_MAX && event.udata == NULL);
    if (fd == 4)
        EV_SET(&event, 2, EVFILT_EXCEPT, EV_DELETE, NOTE_OOB, 0, 0);
    else
        CHECK(0);
    CHECK(event.ident == 2);
}

static void arguments_are_checked(int kq)
{
    struct kevent event;
    struct timespec negative = {-1, 0}, too_fine = {0, 1000000000};

    EV_SET(&event, 1, EVFILT_USER, EV_ADD, 0, 0, NULL);
    CHECK(kevent(-1, &event, 1, NULL, 0, NULL) == -1 && errno == EBADF);
    CHECK(kevent(0, &event, 1, NULL, 0, NULL) == -1 && errno == EBADF);
    CHECK(kevent(kq, NULL, 1, NULL, 0, NULL) == -1 && errno == EFAULT);
    CHECK(kevent(kq, NULL, 0, NULL, 1, &now) == -1 && errno == EFAULT);
    CHECK(kevent(kq, &event, -1, NULL, 0, NULL) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, &event, -1, &now) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, &event, 1, &negative) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, &event, 1, &too_fine) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, NULL, 0, NULL) == 0);
    CHECK(kqueue1(-1) == -1 && errno == EINVAL);
    CHECK(kqueuex(2) == -1 && errno == EINVAL);
}

/* One array for both, and what comes back is the change with EV_ERROR. */
static void failures_are_answered_in_place(int kq)
{
    struct kevent events[3];
    EV_SET(&events[0], 1, EVFILT_USER, EV_DELETE, 0, 42, (void *)1);
    EV_SET(&events[1], 2, EVFILT_USER, EV_ADD | EV_RECEIPT | EV_ONESHOT, NOTE_TRIGGER, 0, (void *)2);
    EV_SET(&events[2], 3, -100, EV_ADD, 0x1234, 0, (void *)3);
    CHECK(kevent(kq, events, 3, events, 3, NULL) == 3);
    CHECK(events[0].ident == 1 && events[0].flags == (EV_DELETE | EV_ERROR) && events[0].data == ENOENT);
    CHECK(events[1].ident == 2 && (events[1].flags & EV_ERROR) && events[1].data == 0);
    CHECK(events[2].filter == -100 && events[2].data == EINVAL && events[2].udata == (void *)3);
    CHECK(events[2].fflags == 0x1234);
    CHECK(kevent(kq, NULL, 0, events, 3, &soon) == 1);
    CHECK(events[0].ident == 2 && events[0].udata == (void *)2 && !(events[0].flags & EV_ERROR));
    EV_SET(&events[0], 1, EVFILT_USER, EV_DELETE, 0, 0, NULL);
    CHECK(kevent(kq, events, 1, NULL, 0, NULL) == -1 && errno == ENOENT);
}

static void what_only_other_systems_have_is_enotsup(int kq)
{
    static const short filters[] = {EVFILT_AIO, EVFILT_MACHPORT, EVFILT_FS,       EVFILT_VM,
                                    EVFILT_LIO, EVFILT_SENDFILE, EVFILT_PROCDESC, EVFILT_DEVICE};
    struct kevent event;
    size_t i;
    for (i = 0; i < sizeof filters / sizeof *filters; i++) {
        EV_SET(&event, 0, filters[i], EV_ADD, 0, 0, NULL);
        CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == -1 && errno == ENOTSUP);
    }
    EV_SET(&event, 0, EVFILT_USER, EV_ADD | EV_FORCEONESHOT, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == -1 && errno == ENOTSUP);
    EV_SET(&event, getpid(), EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_TRACK, 0, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == -1 && errno == ENOTSUP);
}

static void data_is_always_told(int kq)
{
    struct kevent changes[2], events[2];
    int ends[2], i;
    REQUIRE(pipe(ends) == 0 && write(ends[1], "12345", 5) == 5);
    EV_SET(&changes[0], ends[0], EVFILT_READ, EV_ADD, 0, 0, NULL);
    EV_SET(&changes[1], ends[1], EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    CHECK(kevent(kq, changes, 2, events, 2, &soon) == 2);
    for (i = 0; i < 2; i++)
        CHECK(events[i].filter == EVFILT_READ ? events[i].data == 5 : events[i].data > 512);
    close(ends[0]);
    close(ends[1]);
    CHECK(kevent(kq, NULL, 0, events, 2, &now) == 0);
}

static void macos_has_a_timer_begin_anew_when_it_is_enabled(int kq)
{
    static const struct timespec while_it_expires = {0, 5000000};
    struct kevent event;
    EV_SET(&event, 1, EVFILT_TIMER, EV_ADD | EV_DISPATCH, 0, 1, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &soon) == 1);
    CHECK(nanosleep(&while_it_expires, NULL) == 0);
    EV_SET(&event, 1, EVFILT_TIMER, EV_ENABLE, 0, 60000, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &now) == 0);
    EV_SET(&event, 1, EVFILT_TIMER, EV_DELETE, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == 0);
    EV_SET(&event, 1, EVFILT_TIMER, EV_ENABLE, 0, 60000, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == -1 && errno == ENOENT);
}

static void a_change_with_clear_takes_a_trigger_back(int kq)
{
    struct kevent event;
    EV_SET(&event, 3, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &soon) == 1);
    EV_SET(&event, 3, EVFILT_USER, EV_CLEAR, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &now) == 0);
    EV_SET(&event, 3, EVFILT_USER, EV_CLEAR, NOTE_TRIGGER, 0, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &soon) == 1);
    EV_SET(&event, 3, EVFILT_USER, EV_DELETE, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == 0);
}

static void nothing_can_be_written_to_a_broken_pipe(int kq)
{
    struct kevent event;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    EV_SET(&event, ends[1], EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &soon) == 1);
    CHECK((event.flags & EV_EOF) && event.data == 0);
    close(ends[1]);
}

static void the_end_of_a_process_has_the_flags_of_freebsd(int kq)
{
    struct kevent event;
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    EV_SET(&event, child, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &soon) == 1);
    /* Every kernel that evl needs has pidfd_open(2), but valgrind 3.19 does not know of it. */
    if (!(event.flags & EV_ERROR) || event.data != ENOTSUP) {
        CHECK(event.flags == (EV_ADD | EV_CLEAR | EV_ONESHOT | EV_EOF));
        CHECK(event.fflags == NOTE_EXIT && event.data == 3 << 8);
    }
    CHECK(waitpid(child, NULL, 0) == child);
}

int main(void)
{
    int (*call)(int, const struct kevent *, int, struct kevent *, int, const struct timespec *) = kevent;
    int kq = kqueue();

    REQUIRE(kq >= 0);
    CHECK(call(kq, NULL, 0, NULL, 0, NULL) == 0);
    the_struct_has_six_fields();
    ev_set_takes_what_the_bsds_take();
    arguments_are_checked(kq);
    failures_are_answered_in_place(kq);
    what_only_other_systems_have_is_enotsup(kq);
    data_is_always_told(kq);
    macos_has_a_timer_begin_anew_when_it_is_enabled(kq);
    a_change_with_clear_takes_a_trigger_back(kq);
    nothing_can_be_written_to_a_broken_pipe(kq);
    the_end_of_a_process_has_the_flags_of_freebsd(kq);
    close(kq);
    return failures != 0;
}
